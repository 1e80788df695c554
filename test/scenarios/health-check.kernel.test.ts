/** What a load balancer outside sees of a node when it probes healthCheckNodePort. */

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { clusterRanges, podPort } from '../lab/world/places.ts';
import type { World } from '../lab/world.ts';
import { type Agent, startAgent } from './agent.ts';
import { type EndpointInput, endpointSlice, type ManifestFolder, makeManifestFolder, service } from './manifests.ts';
import { ask, inside, makeTwoNodes, nodeAddresses, pods, secondAddress, serveEverywhere } from './two-nodes.ts';

const ports = { web: 30_100, same: 30_101 } as const;
const port = { name: 'http', protocol: 'TCP', port: 80 } as const;
const vip = { IPv4: '198.51.100.1', IPv6: '2001:db8:99::1' } as const;

let world: World;
let folder: ManifestFolder;
let agent: Agent;

beforeAll(async () => {
  world = await makeTwoNodes();
  await serveEverywhere(world, 'node1', 'the-node', 9999);
  folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'health-check-')));
  await folder.write('services.json', [web(), onNodeAddress()]);
  await endpoints('ready');
  // The shortest period: a change that waits for two seconds makes the proxy unhealthy.
  const flags = [`--cluster-cidr=${clusterRanges}`, '--ipvs-sync-period=1s'];
  agent = startAgent({ node: 'node1', manifests: folder.path, flags });
  await agent.synced;
}, 60_000);

afterAll(async () => {
  await agent.end('SIGTERM');
  await world.remove();
});

const families = ['IPv4', 'IPv6'] as const;

describe.each(families)('in %s', (family) => {
  it('the node answers for the endpoints it has', async () => {
    await vi.waitFor(async () => expect(await probe(nodeAddresses.node1[family], ports.web)).toBe('200 1'), waiting);
  });

  it('the address of the load balancer itself answers, and its other ports do not', async () => {
    await vi.waitFor(async () => expect(await probe(vip[family], ports.web)).toBe('200 1'), waiting);
    expect(await probe(vip[family], 9999)).toBe('refused');
    expect(await probe(vip[family], ports.same)).toBe('refused');
  });
});

it('a load-balancer address that is the address of the node answers, and the servers of the node with it', async () => {
  await vi.waitFor(async () => expect(await probe(nodeAddresses.node1.IPv4, ports.same)).toBe('503 0'), waiting);
  const question = { protocol: 'TCP', address: nodeAddresses.node1.IPv4, port: 9999, patienceMs: 5_000 } as const;
  expect(await ask(world, { from: 'client', ...question })).toMatchObject([{ answeredBy: 'the-node' }]);
});

it('the count follows the endpoints; one that terminates counts no more, though it serves', async () => {
  await endpoints('terminating');
  await vi.waitFor(async () => expect(await probe(nodeAddresses.node1.IPv4, ports.web)).toBe('503 0'), waiting);
  await vi.waitFor(async () => expect(await probe(secondAddress.IPv6, ports.web)).toBe('503 0'), waiting);
  await endpoints('ready');
  await vi.waitFor(async () => expect(await probe(nodeAddresses.node1.IPv4, ports.web)).toBe('200 1'), waiting);
});

it('the port follows the Service', async () => {
  await folder.write('services.json', [{ ...web(30_200) }, onNodeAddress()]);
  await vi.waitFor(async () => expect(await probe(nodeAddresses.node1.IPv4, 30_200)).toBe('200 1'), waiting);
  expect(await probe(nodeAddresses.node1.IPv4, ports.web)).toBe('refused');
  await folder.write('services.json', [web(), onNodeAddress()]);
  await vi.waitFor(async () => expect(await probe(nodeAddresses.node1.IPv4, ports.web)).toBe('200 1'), waiting);
});

it('a proxy that cannot program says so, and again that it can', async () => {
  const restore = await withoutTable();
  try {
    await folder.write('services.json', [
      web(),
      onNodeAddress(),
      service({ name: 'late', clusterIPs: ['10.96.0.12'], ports: [port] }),
    ]);
    await vi.waitFor(async () => expect(await probe(nodeAddresses.node1.IPv4, ports.web)).toBe('503 1'), {
      ...waiting,
      timeout: 20_000,
    });
    const { stdout } = await execa('nsenter', ['--net=/run/netns/node1', 'curl', '-s', 'http://127.0.0.1:10256/livez']);
    expect(JSON.parse(stdout)).toMatchObject({ healthy: false });
  } finally {
    await restore();
  }
  await vi.waitFor(async () => expect(await probe(nodeAddresses.node1.IPv4, ports.web)).toBe('200 1'), {
    ...waiting,
    timeout: 40_000,
  });
}, 90_000);

it('a stopped agent leaves no socket, and the next one answers at once', async () => {
  await agent.end('SIGTERM');
  expect(await probe(nodeAddresses.node1.IPv4, ports.web)).toBe('refused');
  agent = startAgent({ node: 'node1', manifests: folder.path, flags: [`--cluster-cidr=${clusterRanges}`] });
  await agent.synced;
  await vi.waitFor(async () => expect(await probe(nodeAddresses.node1.IPv4, ports.web)).toBe('200 1'), waiting);
});

it('an agent that waits for the other to end has the port seconds after it is free', async () => {
  const next = startAgent({ node: 'node1', manifests: folder.path, flags: [`--cluster-cidr=${clusterRanges}`] });
  await next.line((line) => line['holder'] !== undefined, 30_000);
  expect(await probe(nodeAddresses.node1.IPv4, ports.web)).toBe('200 1');
  await agent.end('SIGTERM');
  agent = next;
  await vi.waitFor(async () => expect(await probe(nodeAddresses.node1.IPv4, ports.web)).toBe('200 1'), waiting);
});

it('--nodeport-addresses says at which addresses it answers, and an address that comes later is one of them', async () => {
  await agent.end('SIGTERM');
  const flags = [`--cluster-cidr=${clusterRanges}`, '--nodeport-addresses=192.0.2.10/32,192.0.2.64/26,127.0.0.0/8'];
  agent = startAgent({ node: 'node1', manifests: folder.path, flags });
  await agent.synced;
  await vi.waitFor(async () => expect(await probe(nodeAddresses.node1.IPv4, ports.web)).toBe('200 1'), waiting);
  expect(await probe('127.0.0.1', ports.web, 'node1')).toBe('200 1');
  expect(await probe(secondAddress.IPv4, ports.web)).toBe('refused');
  // No CIDR of IPv6: all of its addresses.
  expect(await probe(secondAddress.IPv6, ports.web)).toBe('200 1');
  await inside('node1', 'ip', 'address', 'add', '192.0.2.77/24', 'dev', 'eth0');
  await vi.waitFor(async () => expect(await probe('192.0.2.77', ports.web)).toBe('200 1'), waiting);
});

const waiting = { timeout: 10_000, interval: 200 } as const;

function web(healthCheckNodePort: number = ports.web) {
  return service({
    name: 'web',
    clusterIPs: ['10.96.0.10', 'fd00:96::10'],
    ports: [{ ...port, nodePort: 31_000 }],
    loadBalancerIPs: [vip.IPv4, vip.IPv6],
    externalTrafficPolicy: 'Local',
    healthCheckNodePort,
  });
}

/** Without endpoints. */
function onNodeAddress() {
  return service({
    name: 'same',
    clusterIPs: ['10.96.0.11'],
    ports: [port],
    loadBalancerIPs: [nodeAddresses.node1.IPv4],
    externalTrafficPolicy: 'Local',
    healthCheckNodePort: ports.same,
  });
}

/** One on each node; the one here in this condition. */
async function endpoints(condition: EndpointInput['condition']): Promise<void> {
  const slices = families.map((family) =>
    endpointSlice({
      service: 'web',
      family,
      ports: [{ name: 'http', protocol: 'TCP', port: podPort }],
      endpoints: [
        { address: pods.near[family], nodeName: 'node1', ...(condition === undefined ? {} : { condition }) },
        { address: pods.far[family], nodeName: 'node2' },
      ],
    }),
  );
  await folder.write('slices.json', slices);
}

/** Takes sluice's table away, and the program that would load it again. Returns the way to give the program back. */
async function withoutTable(): Promise<() => Promise<unknown>> {
  const { stdout: nft } = await execa('realpath', [(await execa('which', ['nft'])).stdout]);
  const copy = join(await mkdtemp(join(tmpdir(), 'nft-')), 'nft');
  await execa('cp', [nft, copy]);
  await execa('mount', ['--bind', (await execa('realpath', ['/bin/false'])).stdout, nft]);
  await inside('node1', copy, 'delete', 'table', 'inet', 'sluice');
  return () => execa('umount', [nft]);
}

/** Status and weight as a client outside sees them, or another place. */
async function probe(address: string, at: number, from = 'client'): Promise<string> {
  const host = address.includes(':') ? `[${address}]` : address;
  const format = '%{http_code} %header{x-load-balancing-endpoint-weight}';
  const options = ['-s', '-o', '/dev/null', '--max-time', '5', '-w', format];
  const { stdout, exitCode } = await execa(
    'nsenter',
    [`--net=/run/netns/${from}`, 'curl', ...options, `http://${host}:${at}/any/path`],
    { reject: false },
  );
  return exitCode === 7 ? 'refused' : stdout;
}
