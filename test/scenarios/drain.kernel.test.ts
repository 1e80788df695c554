import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { execute } from '../lab/execute.ts';
import { readVirtualServers } from '../lab/state/ipvs.ts';
import { countAnswers, isAnswer, type RequestResult } from '../lab/traffic/result.ts';
import type { Flow } from '../lab/traffic/traffic.ts';
import { clusterRanges, podPort } from '../lab/world/places.ts';
import { createWorld, type World } from '../lab/world.ts';
import { type Agent, startAgent } from './agent.ts';
import {
  type EndpointInput,
  endpointSlice,
  type ManifestFolder,
  makeManifestFolder,
  nodeObject,
  service,
} from './manifests.ts';

const vip = '10.96.0.80';
const web = { protocol: 'TCP', address: vip, port: 80 } as const;
const dns = { protocol: 'UDP', address: vip, port: 53 } as const;
const graceSeconds = 4;

let world: World;
let folder: ManifestFolder;
let agent: Agent;

beforeEach(async () => {
  world = await createWorld({ nodes: [{ name: 'node1', pods: ['blue', 'green'] }], clients: ['client'] });
  folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'drain-')));
  const { IPv4, IPv6 } = world.node('node1').addresses;
  await folder.write('node.json', [nodeObject('node1', [...IPv4, ...IPv6])]);
  await list({ blue: 'ready', green: 'ready' });
  agent = start();
  await agent.synced;
});

afterEach(async () => {
  await agent.end('SIGKILL');
  await world.remove();
});

describe('a TCP endpoint that terminates', () => {
  it('keeps its connections and takes no new ones, as long as it is listed', async () => {
    const flow = await connectionTo('blue');
    await list({ blue: 'terminating', green: 'ready' });
    await weightBecomes('blue', 0);
    expect(countAnswers(await world.requests(world.client('client'), web, 6))).toEqual({ green: 6 });
    await sleep((graceSeconds + 2) * 1000);
    expect(nameOf(await flow.exchange())).toBe('blue');
    expect(await weightOf('blue')).toBe(0);
  });

  it('leaves as soon as it has no connection', async () => {
    await list({ blue: 'terminating', green: 'ready' });
    await weightBecomes('blue', undefined, 5_000);
    expect(countAnswers(await world.requests(world.client('client'), web, 4))).toEqual({ green: 4 });
  });

  it('gets its weight back when it returns (#108319)', async () => {
    const flow = await connectionTo('blue');
    await list({ blue: 'terminating', green: 'ready' });
    await weightBecomes('blue', 0);
    await list({ blue: 'ready', green: 'ready' });
    await weightBecomes('blue', 1);
    expect(countAnswers(await world.requests(world.client('client'), web, 6))).toEqual({ blue: 3, green: 3 });
    expect(nameOf(await flow.exchange())).toBe('blue');
  });

  it('is still on its way out after a restart of the agent (#92019)', async () => {
    const flow = await connectionTo('blue');
    await list({ blue: 'terminating', green: 'ready' });
    await weightBecomes('blue', 0);
    await agent.end('SIGKILL');
    agent = start();
    await agent.synced;
    expect(await weightOf('blue')).toBe(0);
    expect(nameOf(await flow.exchange())).toBe('blue');
    await list({ green: 'ready' });
    await weightBecomes('blue', undefined);
  });
});

describe('a TCP endpoint that is removed', () => {
  it(`keeps its connections for the grace period of ${graceSeconds} s and no longer (#99162)`, async () => {
    const flow = await connectionTo('blue');
    await list({ green: 'ready' });
    await weightBecomes('blue', 0);
    const since = performance.now();
    expect(nameOf(await flow.exchange())).toBe('blue');
    await weightBecomes('blue', undefined);
    expect(performance.now() - since).toBeGreaterThan((graceSeconds - 1) * 1000);
    expect(countAnswers(await world.requests(world.client('client'), web, 4))).toEqual({ green: 4 });
  });

  it('leaves at once when it has no connection', async () => {
    await list({ green: 'ready' });
    await weightBecomes('blue', undefined, 3_000);
    expect(countAnswers(await world.requests(world.client('client'), web, 4))).toEqual({ green: 4 });
  });
});

describe('a UDP endpoint that is removed', () => {
  // Removing the destination makes the kernel walk its connections (ip_vs_conn.c, expire_nodest_conn_work). A datagram
  // that comes before the walk meets the old connection and is dropped, if conntrack knows it (ip_vs_in_hook).
  it('hands its flows over with the next datagram, or the one after (#71514)', async () => {
    const flow = world.traffic.connect('client', dns);
    const first = nameOf(await flow.next());
    const other = first === 'blue' ? 'green' : 'blue';
    await list({ [other]: 'ready' });
    await weightBecomes(first, undefined, 3_000, 'UDP');
    const next = await flow.exchange();
    expect(nameOf(isAnswer(next) ? next : await flow.exchange())).toBe(other);
  });
});

describe('a Service that is deleted', () => {
  it('keeps its connections, takes no new ones, and is gone with the last of them (#71894)', async () => {
    const flow = await connectionTo('blue');
    await folder.remove('service.json');
    await weightBecomes('blue', 0);
    expect(await weightOf('green')).toBe(0);
    expect(await world.requests(world.client('client'), web, 3)).toEqual(['refused', 'refused', 'refused']);
    await sleep(1_500);
    expect(nameOf(await flow.exchange())).toBe('blue');
    await flow.stop();
    await everythingGoes(3_000);
  });

  it('goes on so after a restart of the agent', async () => {
    const flow = await connectionTo('blue');
    await agent.end('SIGKILL');
    await folder.remove('service.json');
    agent = start();
    await agent.synced;
    expect(await weightOf('blue')).toBe(0);
    await agent.end('SIGKILL');
    agent = start();
    await agent.synced;
    expect(nameOf(await flow.exchange())).toBe('blue');
    await flow.stop();
    await everythingGoes(3_000);
  });

  it(`is gone after the grace period of ${graceSeconds} s`, async () => {
    const flow = await connectionTo('blue');
    await folder.remove('service.json');
    await weightBecomes('blue', 0);
    const since = performance.now();
    await everythingGoes(15_000);
    expect(performance.now() - since).toBeGreaterThan((graceSeconds - 1) * 1000);
    expect(isAnswer(await flow.exchange())).toBe(false);
  });
});

describe('endpoints that come and go', () => {
  it('cost a steady stream of requests not one failure', async () => {
    const flow = world.traffic.stream('client', web, { intervalMs: 20, deadlineMs: 10_000 });
    for (let round = 0; round < 5; round += 1) {
      await list({ blue: 'terminating', green: 'ready' });
      await weightIsNotOne('blue');
      await list({ green: 'ready' });
      await sleep(300);
      await list({ blue: 'ready', green: 'ready' });
      await weightBecomes('blue', 1);
      await list({ blue: 'ready' });
      await weightIsNotOne('green');
      await list({ blue: 'ready', green: 'ready' });
      await weightBecomes('green', 1);
    }
    await sleep(500);
    await flow.stop();
    expect(flow.failures).toEqual([]);
    expect(Object.keys(countAnswers(flow.results)).sort()).toEqual(['blue', 'green']);
    expect(flow.results.length).toBeGreaterThan(50);
  });
});

function start(): Agent {
  const flags = [`--cluster-cidr=${clusterRanges}`, '--ipvs-sync-period=1s', `--ipvs-graceful-period=${graceSeconds}s`];
  return startAgent({ node: 'node1', manifests: folder.path, flags });
}

/** Lists these pods as endpoints, in this condition. */
async function list(pods: Readonly<Record<string, NonNullable<EndpointInput['condition']>>>): Promise<void> {
  const endpoints = Object.entries(pods).map(([pod, condition]) => {
    const [address = ''] = world.pod(pod).addresses.IPv4;
    return { address, nodeName: 'node1', condition };
  });
  await folder.write('service.json', [
    service({
      name: 'web',
      clusterIPs: [vip],
      ports: [
        { name: 'web', protocol: 'TCP', port: 80 },
        { name: 'dns', protocol: 'UDP', port: 53 },
      ],
    }),
    endpointSlice({
      service: 'web',
      family: 'IPv4',
      ports: [
        { name: 'web', protocol: 'TCP', port: podPort },
        { name: 'dns', protocol: 'UDP', port: podPort },
      ],
      endpoints,
    }),
  ]);
}

/** An open connection from the client through the VIP that this pod happens to serve. */
async function connectionTo(pod: string): Promise<Flow> {
  for (;;) {
    const flow = world.traffic.connect('client', web, { deadlineMs: 10_000 });
    if (nameOf(await flow.next()) === pod) {
      return flow;
    }
    await flow.stop();
  }
}

function nameOf(result: RequestResult): string {
  return isAnswer(result) ? result.answeredBy : result;
}

/** Undefined when the virtual server has no such destination. */
async function weightOf(pod: string, protocol: 'TCP' | 'UDP' = 'TCP'): Promise<number | undefined> {
  const name = protocol === 'TCP' ? `TCP ${vip}:80` : `UDP ${vip}:53`;
  const [address = ''] = world.pod(pod).addresses.IPv4;
  const servers = await readVirtualServers(world.node('node1'));
  const server = servers.find(({ service: known }) => known === name);
  return server?.destinations.find((destination) => destination.address === `${address}:${podPort}`)?.weight;
}

async function weightBecomes(
  pod: string,
  weight: number | undefined,
  patienceMs = 15_000,
  protocol: 'TCP' | 'UDP' = 'TCP',
): Promise<void> {
  await vi.waitFor(async () => expect(await weightOf(pod, protocol)).toBe(weight), {
    timeout: patienceMs,
    interval: 100,
  });
}

/** No virtual server, no VIP. */
async function everythingGoes(patienceMs: number): Promise<void> {
  const there = async (): Promise<readonly unknown[]> => [
    ...(await readVirtualServers(world.node('node1'))),
    ...(await execute('node1', ['ip', '-brief', 'address', 'show', 'to', vip])).stdout
      .split('\n')
      .filter((line) => line !== ''),
  ];
  await vi.waitFor(async () => expect(await there()).toEqual([]), { timeout: patienceMs, interval: 100 });
}

async function weightIsNotOne(pod: string): Promise<void> {
  await vi.waitFor(async () => expect(await weightOf(pod)).not.toBe(1), { timeout: 15_000, interval: 100 });
}
