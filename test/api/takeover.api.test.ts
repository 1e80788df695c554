/** sluice takes a node over from the real proxies, under traffic, and gives it back. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { output } from '../lab/execute.ts';
import { type Kubernetes, startKubernetes } from '../lab/kubernetes.ts';
import { type Listing, listing } from '../lab/state/listing.ts';
import { isAnswer, type Target } from '../lab/traffic/result.ts';
import {
  type Amount,
  openConnections,
  type SteadyTraffic,
  startSteadyTraffic,
  usualAmount,
} from '../lab/traffic/steady-traffic.ts';
import { rootAddresses } from '../lab/world/places.ts';
import { createWorld, type World, type WorldProcess } from '../lab/world.ts';
import { familyOf } from '../scenarios/manifests.ts';
import { endpointSlice, node1, service } from './cluster-objects.ts';
import { type Peer, peerCommand, sluiceCommand } from './takeover/proxies.ts';

const target = { protocol: 'TCP', address: '10.96.1.1', port: 80 } as const;
const local = { ...target, address: '198.51.100.11' };
/** A dual-stack Service, and what leads to it in IPv6. */
const dual = { clusterIPs: ['10.96.1.4', 'fd00:96::104'], externalIPs: ['198.51.100.8', '2001:db8::8'] };
const clusterIP6: Target = { ...target, address: 'fd00:96::104' };
const externalIP6: Target = { ...target, address: '2001:db8::8' };
const pods = new Set(['pod-a', 'pod-b']);
const endpoints = ['10.1.0.2', '10.1.0.3'];
const endpoints6 = ['fd10:1::2', 'fd10:1::3'];
/** 200 and more on a machine that has nothing else to do; less would mean that they do not flow. */
const leastRequestsPerSecond = 20;
/** To a further target. */
const furtherAmount: Amount = { connections: 100, streams: 5 };
/** From a pod: to another one with the pod's own address, to itself with one of the node's. */
const insideCount = 100;
const waiting = { timeout: 120_000, interval: 200 };
const testTimeout = 600_000;

let kubernetes: Kubernetes;
let world: World;

beforeAll(async () => {
  // Beside the link of the nodes, which goes with each world: the API server is to be reached in between.
  await output('-', ['ip', 'address', 'add', `${rootAddresses.IPv4}/32`, 'dev', 'lo']);
  kubernetes = await startKubernetes({ address: rootAddresses.IPv4 });
  await kubernetes.apply(node1);
  await patchStatus('node/node1', { addresses: [{ type: 'InternalIP', address: '192.0.2.10' }] });
  await kubernetes.apply(
    service({ name: 'web', clusterIP: target.address, spec: exposed }),
    endpointSlice('web', endpoints),
    service({ name: 'sticky', clusterIP: '10.96.1.2', spec: { sessionAffinity: 'ClientIP' } }),
    endpointSlice('sticky', endpoints),
  );
  await kubernetes.apply(
    service({
      name: 'dual',
      clusterIP: '10.96.1.4',
      spec: { ...dual, ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] },
    }),
    endpointSlice('dual', endpoints),
    endpointSlice('dual', endpoints6),
  );
  await patchStatus('service/web', { loadBalancer: { ingress: [{ ip: '198.51.100.9' }] } });
  await kubernetes.apply(
    service({ name: 'local', clusterIP: '10.96.1.3', spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local' } }),
    endpointSlice('local', endpoints),
  );
  await patchStatus('service/local', { loadBalancer: { ingress: [{ ip: local.address }] } });
});

// A node of its own for each: what one of them leaves is nothing to the next.
beforeEach(async () => {
  world = await createWorld({ nodes: [{ name: 'node1', pods: ['pod-a', 'pod-b'] }], clients: ['client', 'early'] });
});

afterEach(async () => {
  await world.remove();
});

afterAll(async () => {
  await kubernetes.remove();
  await output('-', ['ip', 'address', 'del', `${rootAddresses.IPv4}/32`, 'dev', 'lo']);
});

const exposed = {
  type: 'LoadBalancer',
  externalIPs: ['198.51.100.7'],
  loadBalancerSourceRanges: ['203.0.113.0/24'],
  ports: [{ name: 'http', port: 80, targetPort: 8080, nodePort: 30_080 }],
};

describe.each<{ readonly peer: Peer; readonly step: string; readonly more?: Target }>([
  { peer: 'kube-proxy ipvs', step: 'from-kube-proxy', more: clusterIP6 },
  { peer: 'kube-proxy nftables', step: 'from-kube-proxy' },
  { peer: 'kube-proxy iptables', step: 'from-kube-proxy' },
  { peer: 'kube-router', step: 'from-kube-router' },
])('from $peer', ({ peer, step, more }) => {
  it(
    'no connection breaks, no request fails, and nothing of it stays',
    async () => {
      const before = await listing(node());
      const proxy = world.start(node(), peerCommand(peer, kubernetes.adminKubeconfig));
      await answersMasqueraded(proxy, more);
      const traffic = await startTraffic(more);
      const inside = await openConnections(world, 'pod-a', target, insideCount);
      await expect(sluice('migrate', step)).rejects.toThrow('to be stopped on this node, found it running');
      const agent = await takeOver(proxy, step);
      await traffic.exchange();
      await inside.exchange();
      await sleep(2_000);
      await traffic.endUndisturbed(`from ${peer}`);
      expect(await inside.end()).toEqual([]);
      await agent.end('SIGTERM');
      await sluice('cleanup', ...(peer === 'kube-router' ? ['--cleanup-of=kube-router'] : []));
      expect(withoutWhatIsKept(await listing(node()))).toEqual(withoutWhatIsKept(before));
    },
    testTimeout,
  );
});

it(
  'from kube-proxy ipvs and back to it no connection breaks, no request fails',
  async () => {
    const before = await listing(node());
    const first = world.start(node(), peerCommand('kube-proxy ipvs', kubernetes.adminKubeconfig));
    await answersMasqueraded(first, externalIP6);
    const traffic = await startTraffic(externalIP6);
    const agent = await takeOver(first, 'from-kube-proxy');
    // Their virtual server has a firewall mark, and kube-proxy has none like it.
    const inside = await openConnections(world, 'pod-a', local, 20);
    await expect(sluice('migrate', 'to-kube-proxy')).rejects.toThrow('found an agent at work');
    await agent.end('SIGTERM');
    await expect(sluice('migrate', 'to-kube-proxy')).rejects.toThrow('expected kube-proxy to run');
    const proxy = world.start(node(), peerCommand('kube-proxy ipvs', kubernetes.adminKubeconfig));
    await expect(sluice('migrate', 'to-kube-proxy')).rejects.toThrow('wait until it has synced');
    await traffic.exchange();
    const said = await vi.waitFor(() => sluice('migrate', 'to-kube-proxy'), waiting);
    expect(said).toContain('20 connections go on through it');
    await sleep(2_000);
    await traffic.endUndisturbed('from kube-proxy ipvs and back');
    expect(await inside.end()).toEqual([]);
    expect(JSON.stringify((await listing(node())).links)).not.toContain('kube-dummy-if');
    await answersMasqueraded(proxy, externalIP6);
    await proxy.end('SIGTERM');
    await sluice('cleanup', '--cleanup-of=kube-proxy');
    // Virtual servers of node ports are kept: nothing tells whose they are.
    expect(withoutWhatIsKept({ ...(await listing(node())), ipvs: [] })).toEqual(withoutWhatIsKept(before));
  },
  testTimeout,
);

function node(): ReturnType<World['node']> {
  return world.node('node1');
}

/**
 * To the usual target and perhaps one more, whose endpoints nothing else leads to in its family: IPVS mistakes two
 * connections to one endpoint for each other where the client has one port for both (docs/semantics.md).
 */
async function startTraffic(more?: Target) {
  const usual = { to: target, amount: usualAmount, least: leastRequestsPerSecond };
  const all = more === undefined ? [usual] : [usual, { to: more, amount: furtherAmount, least: 2 }];
  const traffic: SteadyTraffic[] = [];
  for (const { to, amount } of all) traffic.push(await startSteadyTraffic(world, to, amount));
  const exchange = async () => {
    for (const each of traffic) await each.exchange();
  };
  const endUndisturbed = async (way: string) => {
    const outcomes = await Promise.all(traffic.map((each) => each.end()));
    for (const [index, { to, amount, least }] of all.entries()) {
      const outcome = outcomes[index];
      console.info(`${way}, ${to.address}: ${amount.connections} connections, ${JSON.stringify(outcome)}`);
      expect(outcome).toMatchObject({ broken: [], failed: [] });
      expect(outcome?.requestsPerSecond).toBeGreaterThan(least);
    }
  };
  return { exchange, endUndisturbed };
}

/** Brings back the agent that stands in the proxy's place. */
async function takeOver(proxy: WorldProcess, step: string): Promise<WorldProcess> {
  await proxy.end('SIGTERM');
  const agent = await startAgent();
  expect(await sluice('migrate', 'plan')).toContain('in the kernel: in sync');
  await sluice('migrate', step);
  return agent;
}

async function startAgent(): Promise<WorldProcess> {
  const agent = world.start(node(), sluiceCommand(kubernetes.adminKubeconfig, 'run'));
  await vi.waitFor(() => expect(agent.output()).toContain('"synced"'), waiting);
  return agent;
}

function sluice(...words: readonly string[]): Promise<string> {
  return world.run(node(), sluiceCommand(kubernetes.adminKubeconfig, ...words));
}

/**
 * Waits until both pods answer, and see an address of the node. kube-proxy exposes a VIP before its masquerade stands: a
 * connection of that moment does not outlive the next change of rules, whoever makes it. By a client of its own: an
 * attempt that came too early stays in connection tracking, and the next one from the same port shares its fate.
 */
async function answersMasqueraded(proxy: WorldProcess, more?: Target): Promise<void> {
  const client = world.client('early');
  const said = (cause: unknown): never => {
    throw new Error(`it does not answer; it said: ${proxy.output().slice(-2_000)}`, { cause });
  };
  for (const each of more === undefined ? [target] : [target, more]) {
    const answered = vi.waitFor(async () => {
      const answers = (await world.requests(client, each, 20)).filter((result) => isAnswer(result));
      expect(new Set(answers.map(({ answeredBy }) => answeredBy))).toEqual(pods);
      expect(answers.map(({ sourceSeen }) => sourceSeen)).not.toContain(client.addresses[familyOf(each.address)][0]);
    }, waiting);
    await answered.catch(said);
  }
}

async function patchStatus(name: string, status: object): Promise<void> {
  const patch = ['--subresource=status', '--type=merge', `--patch=${JSON.stringify({ status })}`];
  await kubernetes.kubectl(['patch', name, ...patch]);
}

/**
 * iptables makes its tables and built-in chains when it is first asked, and nobody takes them away. KUBE-FIREWALL is the
 * kubelet’s as well, and so it is kept.
 */
function withoutWhatIsKept(state: Listing): Listing {
  const isKept = (line: string): boolean =>
    line.includes('KUBE-FIREWALL') ||
    (/^\{"(?:table|chain)":\{"family":"ip6?",/.test(line) &&
      /"name":"(?:nat|filter|mangle|PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING)"/.test(line));
  return { ...state, nftables: state.nftables.filter((line) => !isKept(line)) };
}
