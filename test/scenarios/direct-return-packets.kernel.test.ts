import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { output } from '../lab/execute.ts';
import { isAnswer } from '../lab/traffic/result.ts';
import { podPort } from '../lab/world/places.ts';
import {
  bulkClient,
  type Cluster,
  clusterIP,
  families,
  makeCluster,
  nodeNames,
  protocols,
  startAgents,
  tunnelDestinations,
  vip,
} from './direct-return/world.ts';

const pods = { node1: ['near'], node2: ['far'] } as const;

describe.each([1500, 1450])('with an MTU of %i', (mtu) => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await makeCluster({ pods, mtu });
    await cluster.serve();
    await cluster.publish({ near: 'ready', far: 'ready' });
    await startAgents(cluster);
    await destinationsBecome(cluster, ['near', 'far']);
    await watchAnswers(cluster);
  }, 120_000);

  afterAll(() => cluster.remove());

  describe.each([
    { name: 'near', where: 'the node that the client comes to' },
    { name: 'far', where: 'another node' },
  ] as const)('the endpoint $name, on $where', ({ name }) => {
    beforeAll(async () => {
      await cluster.publish({ [name]: 'ready' });
      await destinationsBecome(cluster, [name]);
    });

    it.each(families.flatMap((family) => protocols.map((protocol) => [family, protocol] as const)))(
      'sees the client itself and answers from the VIP, in %s over %s (kr#1870)',
      async (family, protocol) => {
        const client = cluster.world.client('client');
        const result = await cluster.world.request(client, { protocol, address: vip[family], port: podPort });
        expect(result).toMatchObject({
          answeredBy: name,
          sourceSeen: client.addresses[family][0],
          destinationSeen: vip[family],
        });
      },
    );

    it.each(families)(
      'takes and sends 10 MB in %s without a fragment or a stall (kr#630, kr#769, kr#1063, kr#1664, kr#1671, kr#1995)',
      async (family) => {
        const before = await answersSeen(cluster, family);
        const [came, seconds] = await transfer(family, 10_000_000);
        expect(came).toBe(10_000_000);
        expect(seconds).toBeLessThan(20);
        expect(await Promise.all(nodeNames.map((node) => fragments(node)))).toEqual([0, 0]);
        const passed = (await answersSeen(cluster, family)) - before;
        // Its own node forwards them; no other sees one.
        expect(passed > 10_000_000 ? 'all of them' : passed).toBe(name === 'far' ? 0 : 'all of them');
      },
    );
  });

  it.each(families)('tells the client in %s how large its segments may be, in the SYN-ACK (kr#630)', async (family) => {
    const said = await output('client', ['python3', '-c', largestSegment, vip[family], String(podPort)]);
    const header = family === 'IPv4' ? 20 + 20 + 20 : 40 + 40 + 20;
    expect(Number(said)).toBeLessThanOrEqual(mtu - header);
    expect(Number(said)).toBeGreaterThan(mtu - header - 20);
  });
});

describe('a VIP whose endpoints answer directly', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await makeCluster({ pods: { ...pods, node1: ['near', 'idle'] } });
    await cluster.serve();
    await cluster.publish({ near: 'ready', far: 'ready' });
    await startAgents(cluster);
    await destinationsBecome(cluster, ['near', 'far']);
  }, 120_000);

  afterAll(() => cluster.remove());

  it.each(families)('answers a ping in %s, to the client and to its own node (kr#644, kr#1044)', async (family) => {
    for (const from of ['client', 'node1']) {
      expect(await output(from, ['ping', '-c2', '-W2', '-q', vip[family]])).toContain('2 received');
    }
  });

  it.each(families)('refuses other ports in %s at once, to the client and to its own node', async (family) => {
    for (const from of [cluster.world.client('client'), cluster.world.node('node1')]) {
      for (const protocol of protocols) {
        expect(await cluster.world.request(from, { protocol, address: vip[family], port: 81 })).toBe('refused');
      }
    }
  });

  it.each(families)('serves pods and nodes in %s as any VIP', async (family) => {
    const target = { protocol: 'TCP', address: vip[family], port: podPort } as const;
    const { pod, node, requests } = cluster.world;
    for (const from of [pod('near'), pod('idle'), node('node1'), node('node2')]) {
      const results = await requests(from, target, 4);
      expect(results.filter((result) => !isAnswer(result))).toEqual([]);
    }
  });

  it.each(families)('shows an endpoint elsewhere in %s the node through which its pods come', async (family) => {
    const target = { protocol: 'TCP', address: vip[family], port: podPort } as const;
    const { pod, node, requests } = cluster.world;
    for (const from of [pod('idle'), node('node1')]) {
      const answers = (await requests(from, target, 4)).filter((result) => isAnswer(result));
      const seen = answers.filter(({ answeredBy }) => answeredBy === 'far').map(({ sourceSeen }) => sourceSeen);
      expect(new Set(seen)).toEqual(new Set([node('node1').addresses[family][0]]));
    }
  });

  it.each(families)('has a ClusterIP in %s that is masqueraded as before', async (family) => {
    const target = { protocol: 'TCP', address: clusterIP[family], port: podPort } as const;
    const result = await cluster.world.request(cluster.world.client('client'), target);
    expect(isAnswer(result) && cluster.world.node('node1').podGateway[family] === result.sourceSeen).toBe(
      isAnswer(result) && result.answeredBy === 'near',
    );
  });

  it('brings a path MTU message to the endpoint (kr#685)', async () => {
    await cluster.publish({ near: 'ready' });
    await destinationsBecome(cluster, ['near']);
    // What node1 says to the VIP when an answer is too large for the way on.
    await output('node1', ['ip', 'route', 'change', '203.0.113.0/24', 'dev', 'eth0', 'mtu', '1300']);
    const [came] = await transfer('IPv4', 1_000_000);
    expect(came).toBe(1_000_000);
    expect(await output('near', ['ip', 'route', 'get', '203.0.113.2', 'from', vip.IPv4])).toContain('mtu 1300');
    await output('node1', ['ip', 'route', 'change', '203.0.113.0/24', 'dev', 'eth0']);
  });
});

async function destinationsBecome(cluster: Cluster, names: readonly string[]): Promise<void> {
  const wanted = names.flatMap((name) => {
    const { addresses } = cluster.world.pod(name);
    const hosts = [addresses.IPv4[0], `[${addresses.IPv6[0]}]`];
    return hosts.flatMap((host) => [8080, 8080, 9090].map((port) => `${host}:${port}`));
  });
  const settled = vi.waitFor(
    async () => {
      const found = await Promise.all(nodeNames.map((node) => tunnelDestinations(node)));
      expect(found).toEqual(nodeNames.map(() => [...wanted].sort()));
    },
    { timeout: 20_000, interval: 200 },
  );
  await settled;
}

/** Counts, on node1, the bytes that it forwards from the VIPs. */
async function watchAnswers({ world }: Cluster): Promise<void> {
  const rules = [
    'table inet watch {',
    '  counter IPv4 {}',
    '  counter IPv6 {}',
    '  chain forward {',
    '    type filter hook forward priority 10',
    `    ip saddr ${vip.IPv4} counter name IPv4`,
    `    ip6 saddr ${vip.IPv6} counter name IPv6`,
    '  }',
    '}',
    '',
  ];
  await world.run(world.node('node1'), ['nft', '-f', '-'], rules.join('\n'));
}

async function answersSeen({ world }: Cluster, family: string): Promise<number> {
  const said = await world.run(world.node('node1'), ['nft', 'list', 'counter', 'inet', 'watch', family]);
  return Number(/bytes (\d+)/.exec(said)?.[1]);
}

async function transfer(family: 'IPv4' | 'IPv6', bytes: number): Promise<readonly number[]> {
  const said = await output('client', ['python3', '-c', bulkClient, vip[family], String(bytes)]);
  return said.trim().split(' ').map(Number);
}

/** How many fragments a node has made. */
async function fragments(node: string): Promise<number> {
  const said = await output(node, ['cat', '/proc/net/snmp', '/proc/net/snmp6']);
  const [names = '', values = ''] = said.split('\n').filter((line) => line.startsWith('Ip:'));
  const place = names.split(' ').indexOf('FragCreates');
  return Number(values.split(' ')[place]) + Number(/Ip6FragCreates\s+(\d+)/.exec(said)?.[1]);
}

/** TCP_MAXSEG of a connection that is made: what the other side allows, less options that every segment has (12 bytes of timestamps). */
const largestSegment = `
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5) as made:
    print(made.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG))
`;
