/**
 * The order of programming, seen from outside: Services come and go while packets come in at every one of their
 * frontends, from a client, from another node and from a pod. What arrives at a pod's port tells how the packet was
 * treated; one that came in between two steps in the wrong order would have arrived with another source, or at all.
 */

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { clusterRanges, type Place } from '../lab/world/places.ts';
import { createWorld, type World } from '../lab/world.ts';
import { type Agent, startAgent } from './agent.ts';
import { type ManifestFolder, makeManifestFolder, nodeObject } from './manifests.ts';
import { type Flood, startFlood } from './order/flood.ts';
import { daemonPort, type Kind, kinds, manifestsOf, type PlannedService, plannedServices } from './order/services.ts';
import { arrivals, watchArrivals } from './order/sightings.ts';

const total = 2_000;
const batch = 500;
const perSecond = 1_500;

describe.each(['address', 'route'])('with --vip-mode=%s', (mode) => {
  let world: World;
  let folder: ManifestFolder;
  let agent: Agent;
  let floods: readonly Flood[] = [];

  beforeAll(async () => {
    world = await createWorld({
      families: ['IPv4'],
      nodes: [
        { name: 'node1', pods: ['near', 'asker'] },
        { name: 'node2', pods: ['far'] },
      ],
      clients: ['client'],
    });
    await world.run(world.node('node2'), ['ip', 'route', 'add', '10.96.0.0/16', 'via', nodeAddress()]);
    await world.run(world.node('node2'), ['ip', 'route', 'add', '198.18.0.0/16', 'via', nodeAddress()]);
    for (const place of [world.pod('near'), world.pod('far'), world.node('node1')]) {
      await watchArrivals(world, place);
    }
    folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'order-')));
    await folder.write('node.json', [nodeObject('node1', [nodeAddress()])]);
    agent = startAgent({
      node: 'node1',
      manifests: folder.path,
      flags: [`--cluster-cidr=${clusterRanges}`, `--vip-mode=${mode}`, '--nodeport-addresses=primary'],
    });
    await agent.synced;
    floods = await startFloods(world);
  });

  afterAll(async () => {
    await Promise.all(floods.map((flood) => flood.stop()));
    await agent.end('SIGKILL');
    await world.remove();
  });

  it('lets no packet past a guard while 2,000 Services are made, and while they go', async () => {
    for (let from = 0; from < total; from += batch) {
      const plans = plannedServices(from, from + batch);
      await folder.write(
        `services-${from}.json`,
        plans.flatMap((plan) => manifestsOf(world, plan)),
      );
      await synced(agent, plans.length);
      expect(await violations(world), `after Services up to ${from + batch}`).toEqual([]);
    }
    await sleep(1_000);
    // What is allowed did arrive: the packets were there all the time.
    expect(await arrivals(world, world.pod('near'))).toEqual(
      expect.arrayContaining(['10.1.0.1 8001', `${client()} 8002`]),
    );
    expect(await arrivals(world, world.pod('far'))).toContain(`${nodeAddress()} 8001`);
    for (let from = 0; from < total; from += batch) {
      await folder.remove(`services-${from}.json`);
      await synced(agent, batch);
      expect(await violations(world), `after Services up to ${from + batch} went`).toEqual([]);
    }
    const sent = await Promise.all(floods.map((flood) => flood.stop()));
    floods = [];
    expect(Math.min(...sent)).toBeGreaterThan(total);
  });

  it('lets no datagram of a flow past that is older than its Service', async () => {
    // What went elsewhere before is known to connection tracking, and its source is not looked at again.
    const [plan] = plannedServices(total, total + 15).filter(
      ({ kind, protocol }) => kind === 'cluster' && protocol === 'UDP',
    );
    if (plan === undefined) throw new Error('expected a Service of UDP');
    const places = [`${plan.loadBalancerIP} 80`, `${plan.clusterIP} 80`, `${nodeAddress()} ${plan.nodePort}`];
    const sender = world.start(world.client('client'), ['python3', '-u', '-c', steadySender, ...places]);
    await vi.waitUntil(() => sender.output().includes('sent'), 30_000);
    await folder.write('late.json', manifestsOf(world, plan));
    // Each flow goes on, masqueraded, once the record of it is gone.
    await vi.waitUntil(async () => (await masqueraded(world, places)) === places.length, 60_000);
    await sleep(500);
    expect(await violations(world)).toEqual([]);
    await sender.end();
  });

  function nodeAddress(): string {
    return world.node('node1').addresses.IPv4[0] ?? '';
  }

  function client(): string {
    return world.client('client').addresses.IPv4[0] ?? '';
  }
});

/** Resolves when the agent has carried out the next change of so many Services. */
async function synced(agent: Agent, services: number): Promise<void> {
  const before = agent.log.length;
  await agent.line(
    (line) => line.msg === 'synced' && agent.log.indexOf(line) >= before && Number(line['operations']) >= services,
    60_000,
  );
}

/** UDP to each place from one socket. Says "sent" when datagrams were sent for a while. */
const steadySender = `
import socket, sys, time
opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
places = [(place.split()[0], int(place.split()[1])) for place in sys.argv[1:]]
for turn in range(6000):
    for place in places:
        try:
            opened.sendto(b"x", place)
        except OSError:
            pass
    if turn == 20:
        print("sent", flush=True)
    time.sleep(0.01)
`;

/** How many flows to these places connection tracking has as masqueraded: their answers are not for the client. */
async function masqueraded(world: World, places: readonly string[]): Promise<number> {
  const [client = ''] = world.client('client').addresses.IPv4;
  const lines = (await world.run(world.node('node1'), ['cat', '/proc/net/nf_conntrack'])).split('\n');
  const flows = lines.filter((line) => {
    const [, address, port] = / dst=(\S+) sport=\d+ dport=(\d+) /.exec(line) ?? [];
    return places.includes(`${address} ${port}`);
  });
  return flows.filter((line) => !line.includes(` dst=${client} `)).length;
}

/** Who asks whom. The pod asks at load-balancer IPs alone: at a ClusterIP it is not masqueraded. */
async function startFloods(world: World): Promise<readonly Flood[]> {
  const all = plannedServices(0, total);
  const [node = ''] = world.node('node1').addresses.IPv4;
  const outside = all.flatMap((plan) => [...atVips(plan), ...atNodePort(plan, node), ...atDaemon(plan)]);
  const otherNode = all.filter(({ kind }) => kind !== 'local' && kind !== 'elsewhere').flatMap(atVips);
  const fromPod = all.filter(({ kind }) => kind === 'cluster' || kind === 'restricted').map(atLoadBalancer);
  return Promise.all([
    startFlood(world.client('client'), outside, perSecond),
    startFlood(world.node('node2'), otherNode, perSecond),
    startFlood(world.pod('asker'), fromPod, perSecond),
  ]);
}

function atLoadBalancer({ protocol, loadBalancerIP }: PlannedService): string {
  return `${protocol} ${loadBalancerIP} 80`;
}

/** Not where the kind is open to the asker in another way than at the rest of its frontends. */
function atVips(plan: PlannedService): readonly string[] {
  const { kind, protocol, clusterIP } = plan;
  const lines = kind === 'internal' ? [] : [atLoadBalancer(plan)];
  return kind === 'cluster' || kind === 'internal' ? [...lines, `${protocol} ${clusterIP} 80`] : lines;
}

function atNodePort({ kind, protocol, nodePort }: PlannedService, node: string): readonly string[] {
  return kind === 'cluster' || kind === 'local' || kind === 'elsewhere' ? [`${protocol} ${node} ${nodePort}`] : [];
}

function atDaemon({ protocol, clusterIP, loadBalancerIP }: PlannedService): readonly string[] {
  return [clusterIP, loadBalancerIP].map((address) => `${protocol} ${address} ${daemonPort}`);
}

/** Arrivals that no guard in its place would have let through. */
async function violations(world: World): Promise<readonly string[]> {
  const { near, far, node1 } = { near: world.pod('near'), far: world.pod('far'), node1: world.node('node1') };
  const gateways = [node1.podGateway.IPv4, ...node1.addresses.IPv4];
  const outside = world.client('client').addresses.IPv4;
  const allowed: Readonly<Record<'near' | 'far', Readonly<Record<Kind, readonly string[]>>>> = {
    near: { cluster: gateways, local: outside, elsewhere: [], internal: [], restricted: [] },
    far: { cluster: gateways, local: [], elsewhere: [], internal: [], restricted: [] },
  };
  const atPods = [near, far].map(async (pod) => {
    const seen = await arrivals(world, pod);
    const expected = Object.entries(allowed[pod.name === 'near' ? 'near' : 'far']).flatMap(([kind, sources]) =>
      sources.map((source) => `${source} ${portOf(kind)}`),
    );
    return unexpected(pod, seen, expected);
  });
  const atNode = unexpected(node1, await arrivals(world, node1), []);
  return [...(await Promise.all(atPods)).flat(), ...atNode];
}

function unexpected(at: Place, seen: readonly string[], allowed: readonly string[]): readonly string[] {
  return seen.filter((arrival) => !allowed.includes(arrival)).map((arrival) => `${at.name}: ${arrival}`);
}

function portOf(kind: string): number {
  return Object.entries(kinds).find(([name]) => name === kind)?.[1].port ?? 0;
}
