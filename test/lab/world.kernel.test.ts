import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readVirtualServers } from './state/ipvs.ts';
import { listing } from './state/listing.ts';
import { countAnswers, isAnswer } from './traffic/result.ts';
import { podPort } from './world/places.ts';
import { createWorld, type World } from './world.ts';

const vips = { IPv4: '198.51.100.7', IPv6: '2001:db8::7' } as const;
const port = 80;

let world: World;

beforeAll(async () => {
  world = await createWorld({
    nodes: [
      { name: 'node1', pods: ['pod-a', 'pod-b'], addresses: 2 },
      { name: 'node2', pods: ['pod-c'] },
    ],
    clients: ['client'],
  });
});

afterAll(() => world.remove());

describe.each(['IPv4', 'IPv6'] as const)('in %s', (family) => {
  describe.each(['TCP', 'UDP', 'SCTP'] as const)('with %s', (protocol) => {
    test('a pod answers another node’s pod with its own name and sees its address', async () => {
      const pod = world.pod('pod-c');
      const target = { protocol, address: world.pod('pod-a').addresses[family][0] ?? '', port: podPort };
      const result = await world.request(pod, target);
      expect(result).toMatchObject({ answeredBy: 'pod-a', sourceSeen: pod.addresses[family][0] });
    });

    test('a port where nothing listens refuses', async () => {
      const target = { protocol, address: world.pod('pod-a').addresses[family][0] ?? '', port: 9 };
      expect(await world.request(world.pod('pod-b'), target)).toBe('refused');
    });

    test('a hand-made virtual server spreads a client’s requests over the pods', async () => {
      await programVirtualServer(world, family, protocol);
      const target = { protocol, address: vips[family], port };
      const results = await world.requests(world.client('client'), target, 10);
      expect(countAnswers(results)).toEqual({ 'pod-a': 5, 'pod-b': 5 });
      const sources = new Set(results.map((each) => isAnswer(each) && each.sourceSeen));
      expect([...sources]).toEqual(world.client('client').addresses[family]);
    });
  });

  test('an address that no one has is no way, and one that is dropped is a timeout', async () => {
    const node = world.node('node2');
    const address = vips[family];
    await world.run(node, ['ip', 'route', 'add', 'unreachable', address]);
    expect(await world.request(node, { protocol: 'TCP', address, port })).toBe('unreachable');
    await world.run(node, ['ip', 'route', 'replace', 'blackhole', address]);
    const dropped = `add table inet guard { chain output { type filter hook output priority 0; tcp dport ${port} drop; }; }`;
    await world.run(node, ['nft', '-f', '-'], dropped);
    const target = { protocol: 'TCP', address: world.node('node1').addresses[family][0] ?? '', port } as const;
    expect(await world.request(node, target, { deadlineMs: 200 })).toBe('timeout');
    await world.run(node, ['nft', 'delete', 'table', 'inet', 'guard']);
    await world.run(node, ['ip', 'route', 'del', 'blackhole', address]);
  });
});

test('an established connection goes on when its responder closes, and tells when it is dropped', async () => {
  const at = { protocol: 'TCP', address: world.pod('pod-a').addresses.IPv4[0] ?? '', port: 7000 } as const;
  const responder = await world.traffic.listen('pod-a', at, 'short-lived');
  const connection = world.traffic.connect('pod-b', at);
  expect(await connection.next()).toMatchObject({ answeredBy: 'short-lived' });
  await responder.close();
  expect(await world.request(world.pod('pod-b'), at)).toBe('refused');
  expect(await connection.exchange()).toMatchObject({ answeredBy: 'short-lived' });
  expect(connection.failures).toEqual([]);
  await responder.drop();
  expect(['closed', 'reset']).toContain(await connection.exchange().catch(() => 'closed'));
  // Nothing more comes of it: whoever waits is told so.
  expect(await connection.next()).toBe(connection.failures[0]);
});

test('a stream goes on by itself and reports every failure', async () => {
  const at = { protocol: 'UDP', address: world.pod('pod-a').addresses.IPv6[0] ?? '', port: 7001 } as const;
  const responder = await world.traffic.listen('pod-a', at, 'streamed');
  const stream = world.traffic.stream('client', at, { intervalMs: 5 });
  for (let count = 0; count < 20; count++) await stream.next();
  expect(stream.failures).toEqual([]);
  await responder.drop();
  while (stream.failures.length === 0) await stream.next();
  expect(stream.failures[0]).toBe('refused');
  await stream.stop();
});

test('many requests cost milliseconds each', async () => {
  const target = { protocol: 'TCP', address: world.pod('pod-c').addresses.IPv4[0] ?? '', port: podPort } as const;
  const started = performance.now();
  const results = await world.requests(world.client('client'), target, 300);
  expect(countAnswers(results)).toEqual({ 'pod-c': 300 });
  expect(performance.now() - started).toBeLessThan(10_000);
});

test('a client goes through the node that is its gateway', async () => {
  const target = { protocol: 'TCP', address: vips.IPv4, port } as const;
  const client = world.client('client');
  await world.useGateway(client, world.node('node2'));
  expect(isAnswer(await world.request(client, target, { deadlineMs: 300 }))).toBe(false);
  await world.useGateway(client, world.node('node1'));
  expect(isAnswer(await world.request(client, target, { deadlineMs: 300 }))).toBe(true);
});

describe('the listing of a node', () => {
  test('is the same as long as nothing changes', async () => {
    const before = await listing(world.node('node2'));
    expect(await listing(world.node('node2'))).toEqual(before);
  });

  test.each([
    { kind: 'a link', make: words('ip link add d0 type dummy'), undo: words('ip link del d0') },
    {
      kind: 'an address',
      make: words('ip addr add 10.96.0.1/32 dev lo'),
      undo: words('ip addr del 10.96.0.1/32 dev lo'),
    },
    {
      kind: 'a route of any table',
      make: words('ip route add local 10.96.0.2 dev lo table 78'),
      undo: words('ip route flush table 78'),
    },
    { kind: 'a rule', make: words('ip -6 rule add fwmark 7 lookup 78'), undo: words('ip -6 rule del fwmark 7') },
    { kind: 'an nftables table', make: words('nft add table ip other'), undo: words('nft delete table ip other') },
    { kind: 'a virtual server', make: words('ipvsadm -A -f 7 -s sh'), undo: words('ipvsadm -D -f 7') },
  ])('tells $kind', async ({ make, undo }) => {
    const node = world.node('node2');
    const before = await listing(node);
    await world.run(node, make);
    expect(await listing(node)).not.toEqual(before);
    await world.run(node, undo);
    expect(await listing(node)).toEqual(before);
  });
});

function words(command: string): readonly string[] {
  return command.split(' ');
}

test('virtual servers are read as they were written', async () => {
  const servers = await readVirtualServers(world.node('node1'));
  expect(servers).toContainEqual({
    service: `TCP ${vips.IPv4}:${port}`,
    scheduler: 'rr',
    schedulerFlags: [],
    persistenceSeconds: 0,
    onePacket: false,
    destinations: [
      { address: '10.1.0.2:8080', forwarding: 'masquerade', weight: 1 },
      { address: '10.1.0.3:8080', forwarding: 'masquerade', weight: 1 },
    ],
  });
});

async function programVirtualServer(
  at: World,
  family: 'IPv4' | 'IPv6',
  protocol: 'TCP' | 'UDP' | 'SCTP',
): Promise<void> {
  const node = at.node('node1');
  const option = { TCP: '-t', UDP: '-u', SCTP: '--sctp-service' }[protocol];
  const text = (address: string, number: number) =>
    family === 'IPv4' ? `${address}:${number}` : `[${address}]:${number}`;
  const pods = ['pod-a', 'pod-b'].map((name) => text(at.pod(name).addresses[family][0] ?? '', podPort));
  const service = text(vips[family], port);
  await at.run(node, ['ip', 'route', 'replace', 'local', vips[family], 'dev', 'lo']);
  await at.run(node, ['ipvsadm', '-A', option, service, '-s', 'rr']);
  for (const pod of pods) await at.run(node, ['ipvsadm', '-a', option, service, '-r', pod, '-m']);
}
