/** The agent against a real API server: what kubectl does shows in the kernel and in packets. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Kubernetes, startKubernetes } from '../lab/kubernetes.ts';
import { readVirtualServers } from '../lab/state/ipvs.ts';
import { listing } from '../lab/state/listing.ts';
import { countAnswers, isAnswer } from '../lab/traffic/result.ts';
import { clusterCIDRs, podPort, rootAddresses } from '../lab/world/places.ts';
import { createWorld, type World, type WorldProcess } from '../lab/world.ts';
import { bundle } from '../scenarios/agent.ts';
import { endpointSliceOf, serviceOf } from './objects.ts';

const awayMs = 60_000;
/** The API server starts on the same, only processor; a lost request would wait longer still. */
const patienceMs = 20_000;

let world: World;
let kubernetes: Kubernetes;
let agent: WorldProcess;
let clean: Awaited<ReturnType<typeof listing>>;

beforeAll(async () => {
  world = await createWorld({ nodes: [{ name: 'node1', pods: ['blue', 'green'] }], clients: ['client'] });
  kubernetes = await startKubernetes({ address: rootAddresses.IPv4 });
  const { IPv4, IPv6 } = world.node('node1').addresses;
  const addresses = [...IPv4, ...IPv6].map((address) => ({ type: 'InternalIP', address }));
  await kubernetes.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node1' } });
  const status = JSON.stringify({ status: { addresses } });
  await kubernetes.kubectl(['patch', 'node', 'node1', '--subresource=status', '--type=merge', '-p', status]);
  agent = startAgent();
  await synced();
  clean = await listing(world.node('node1'));
});

afterAll(async () => {
  await kubernetes.remove();
  await world.remove();
});

describe('a Service made with kubectl', () => {
  it('answers within a second, and leaves no trace when it is deleted', async () => {
    const address = await makeService('web', '10.96.7.1', ['blue', 'green']);
    const made = performance.now();
    const target = { protocol: 'TCP', address, port: 80 } as const;
    await vi.waitFor(
      async () => expect(isAnswer(await world.request(world.client('client'), target, { deadlineMs: 200 }))).toBe(true),
      { timeout: 5_000, interval: 20 },
    );
    expect(performance.now() - made).toBeLessThan(1_000);
    expect(countAnswers(await world.requests(world.client('client'), target, 4))).toEqual({ blue: 2, green: 2 });
    await deleteService('web');
    await vi.waitFor(async () => expect(await listing(world.node('node1'))).toEqual(clean), {
      timeout: 10_000,
      interval: 200,
    });
  });

  it('follows its type, its scheduler and its ports', async () => {
    const address = await makeService('shape', '10.96.7.2', ['blue']);
    await serverBecomes(`TCP ${address}:80`, 'rr');
    await kubernetes.kubectl(['annotate', 'service', 'shape', 'sluice.dev/scheduler=lc']);
    await serverBecomes(`TCP ${address}:80`, 'lc');
    await patchService('shape', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_081, targetPort: podPort }] });
    await serverBecomes(`TCP ${world.node('node1').addresses.IPv4[0]}:30081`, 'lc');
    await patchService('shape', { type: 'ClusterIP', ports: [{ port: 81, targetPort: podPort }] });
    await serverBecomes(`TCP ${address}:81`, 'lc');
    await serverBecomes(`TCP ${address}:80`, undefined);
    await serverBecomes(`TCP ${world.node('node1').addresses.IPv4[0]}:30081`, undefined);
    await patchService('shape', { type: 'ExternalName', externalName: 'example.org', clusterIP: '', clusterIPs: null });
    await serverBecomes(`TCP ${address}:81`, undefined);
    await deleteService('shape');
    await vi.waitFor(async () => expect(await listing(world.node('node1'))).toEqual(clean), {
      timeout: 10_000,
      interval: 200,
    });
  });
});

describe('an API server that goes away', () => {
  it('changes nothing, breaks nothing, and what changed meanwhile is there when it is back', async () => {
    const address = await makeService('steady', '10.96.7.3', ['blue', 'green']);
    await serverBecomes(`TCP ${address}:80`, 'rr');
    const target = { protocol: 'TCP', address, port: 80 } as const;
    const client = world.client('client').name;
    const conversation = world.traffic.connect(client, target, { intervalMs: 200, deadlineMs: patienceMs });
    const stream = world.traffic.stream(client, target, { intervalMs: 200, deadlineMs: patienceMs });
    await Promise.all([conversation.next(), stream.next()]);
    const before = await listing(world.node('node1'));
    await kubernetes.stopApiServer('SIGKILL');
    await kubernetes.startApiServer();
    expect(await listing(world.node('node1')), 'after a restart').toEqual(before);
    await kubernetes.stopApiServer('SIGKILL');
    await sleep(awayMs);
    expect(await listing(world.node('node1')), 'while it is away').toEqual(before);
    await kubernetes.startApiServer();
    const other = await makeService('meanwhile', '10.96.7.4', ['green']);
    await kubernetes.kubectl(['annotate', 'service', 'steady', 'sluice.dev/scheduler=wrr']);
    await serverBecomes(`TCP ${other}:80`, 'rr', 70_000);
    await serverBecomes(`TCP ${address}:80`, 'wrr', 70_000);
    await Promise.all([conversation.stop(), stream.stop()]);
    expect([conversation.failures, stream.failures]).toEqual([[], []]);
    expect(conversation.results.length).toBeGreaterThan(awayMs / 1_000);
    expect(stream.results.length).toBeGreaterThan(awayMs / 1_000);
    await deleteService('steady');
    await deleteService('meanwhile');
  });
});

describe('the DaemonSet’s manifest', () => {
  it('is accepted, and its ServiceAccount may do all that the agent does', async () => {
    const file = new URL('../../daemonset/sluice.yaml', import.meta.url).pathname;
    await kubernetes.kubectl(['apply', '--server-side', '-f', file]);
    const account = await kubernetes.kubectl(['get', '-f', file, '-o', 'json']);
    expect(account).toContain('"kind": "DaemonSet"');
    await agent.end();
    agent = startAgent(await kubernetes.serviceAccountKubeconfig('kube-system', 'sluice'));
    await synced();
    const address = await makeService('bound', '10.96.7.5', ['blue']);
    await serverBecomes(`TCP ${address}:80`, 'rr');
    expect(agent.output()).not.toContain('forbidden');
    await deleteService('bound');
  });
});

function startAgent(kubeconfig = kubernetes.adminKubeconfig): WorldProcess {
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    '--hostname-override=node1',
    `--cluster-cidr=${Object.values(clusterCIDRs).join(',')}`,
    '--log-level=debug',
  ];
  return world.start(world.node('node1'), [process.execPath, bundle, 'run', ...flags]);
}

/** Until the agent has done its first pass. */
async function synced(): Promise<void> {
  const check = (): void => {
    if (!agent.output().includes('"trigger":"start"'))
      throw new Error(`expected a first pass, found ${agent.output()}`);
  };
  await vi.waitFor(check, { timeout: 60_000, interval: 100 });
}

/** Returns its ClusterIP. There is no controller here that would make the slice. */
async function makeService(name: string, clusterIP: string, pods: readonly string[]): Promise<string> {
  const addresses = pods.map((pod) => world.pod(pod).addresses.IPv4[0] ?? '');
  await kubernetes.apply(serviceOf(name, clusterIP), endpointSliceOf(name, addresses, podPort));
  return clusterIP;
}

async function deleteService(name: string): Promise<void> {
  await kubernetes.kubectl(['delete', `service/${name}`, `endpointslice/${name}-1`, '--wait=false']);
}

async function patchService(name: string, spec: object): Promise<void> {
  await kubernetes.kubectl(['patch', 'service', name, '--type=merge', '-p', JSON.stringify({ spec })]);
}

/** Its scheduler; undefined: it is gone. */
async function serverBecomes(key: string, scheduler: string | undefined, timeout = 10_000): Promise<void> {
  await vi.waitFor(
    async () => {
      const servers = await readVirtualServers(world.node('node1'));
      const found = servers.find(({ service }) => service === key)?.scheduler;
      if (found !== scheduler) throw new Error(`${key}: expected scheduler ${scheduler}, found ${found}`);
    },
    { timeout, interval: 100 },
  );
}
