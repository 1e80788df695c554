/** The agent as installed, on a node of a cluster with a real kube-apiserver, with the manifest's own rights. */

import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { execute } from '../lab/execute.ts';
import { type Kubernetes, serviceCIDRs, startKubernetes } from '../lab/kubernetes.ts';
import { type ObservedVirtualServer, readVirtualServers } from '../lab/state/ipvs.ts';
import { listing } from '../lab/state/listing.ts';
import { countAnswers, isAnswer } from '../lab/traffic/result.ts';
import { clusterRanges, rootAddresses } from '../lab/world/places.ts';
import { createWorld, type World, type WorldProcess } from '../lab/world.ts';
import { bundle } from '../scenarios/agent.ts';
import { endpointSlice, node1, service } from './cluster-objects.ts';

const manifest = fileURLToPath(new URL('../../daemonset/sluice.yaml', import.meta.url));
const vips = {
  first: '10.96.1.1',
  second: '10.96.1.2',
  meanwhile: '10.96.1.3',
  rotated: '10.96.1.4',
  reached: '10.96.1.5',
} as const;
const endpoints = ['10.1.0.2', '10.1.0.3'];

let world: World;
let kubernetes: Kubernetes;
let kubeconfig: string;
let agent: WorldProcess;

beforeAll(async () => {
  world = await createWorld({ nodes: [{ name: 'node1', pods: ['pod-a', 'pod-b'] }], clients: ['client'] });
  kubernetes = await startKubernetes({ address: rootAddresses.IPv4 });
  await kubernetes.kubectl(['apply', '--server-side', '-f', manifest]);
  await kubernetes.apply(node1);
  kubeconfig = await withTokenFile(await kubernetes.serviceAccountKubeconfig('kube-system', 'sluice'));
});

afterAll(async () => {
  await kubernetes.remove();
  await world.remove();
});

test('the API server has taken the manifest as it is', async () => {
  const kinds = ['serviceaccount/sluice', 'daemonset.apps/sluice'];
  const names = await kubernetes.kubectl(['-n', 'kube-system', 'get', ...kinds, '--output=name']);
  expect(names.trim().split('\n')).toEqual(kinds);
});

test('with the rights of the manifest it is in step, and it streams its lists', async () => {
  const before = await lists();
  startAgent();
  await vi.waitFor(() => expect(agent.output()).toContain('"synced"'), { timeout: 30_000, interval: 100 });
  const after = await lists();
  for (const resource of ['services', 'endpointslices', 'nodes', 'servicecidrs']) {
    const of = (name: string, page: string) => metric(page, name, resource);
    expect(of('apiserver_watch_list_duration_seconds_count', after.page)).toBeGreaterThan(
      of('apiserver_watch_list_duration_seconds_count', before.page),
    );
  }
  expect(metric(after.page, 'apiserver_request_total', 'endpointslices', 'LIST')).toBe(
    metric(before.page, 'apiserver_request_total', 'endpointslices', 'LIST'),
  );
  expect(agent.output()).not.toMatch(/forbidden|"level":"error"/i);
});

test('a new Service answers within a second, and leaves no trace when it is deleted', async () => {
  const before = await settled();
  await kubernetes.apply(service({ name: 'first', clusterIP: vips.first }), endpointSlice('first', endpoints));
  const returned = performance.now();
  await answers(vips.first);
  expect(performance.now() - returned).toBeLessThan(1000);
  expect(countAnswers(await world.requests(world.client('client'), target(vips.first), 4))).toEqual({
    'pod-a': 2,
    'pod-b': 2,
  });
  await kubernetes.kubectl(['delete', 'service/first', 'endpointslice/first-1']);
  await vi.waitFor(async () => expect(await listing(world.node('node1'))).toEqual(before), waiting);
});

test('a Service changes its scheduler and its type, and the kernel follows', async () => {
  await kubernetes.apply(service({ name: 'second', clusterIP: vips.second }), endpointSlice('second', endpoints));
  await servers((all) => expect(all).toMatchObject([{ service: `TCP ${vips.second}:80`, scheduler: 'rr' }]));
  await kubernetes.kubectl(['annotate', 'service/second', 'sluice.dev/scheduler=lc']);
  await servers((all) => expect(all).toMatchObject([{ scheduler: 'lc' }]));
  await patch({ type: 'NodePort', ports: [{ name: 'http', port: 80, targetPort: 8080, nodePort: 30080 }] });
  await servers((all) => expect(all.map((each) => each.service)).toContain('TCP 192.0.2.10:30080'));
  await answers('192.0.2.10', 30080);
  await patch({ type: 'ClusterIP', ports: [{ name: 'http', port: 80, targetPort: 8080, nodePort: null }] });
  await servers((all) => expect(all.map((each) => each.service)).toEqual([`TCP ${vips.second}:80`]));
  await patch({ type: 'ExternalName', externalName: 'example.org', clusterIP: null, clusterIPs: null });
  await servers((all) => expect(all).toEqual([]));
  await patch({ type: 'ClusterIP', externalName: null, clusterIP: vips.second, clusterIPs: [vips.second] });
  await servers((all) => expect(all.map((each) => each.service)).toEqual([`TCP ${vips.second}:80`]));
  await kubernetes.kubectl(['delete', 'service/second']);
  await kubernetes.apply(service({ name: 'second', clusterIP: 'None' }));
  await servers((all) => expect(all).toEqual([]));
  await kubernetes.kubectl(['delete', 'service/second']);
  await kubernetes.apply(service({ name: 'second', clusterIP: vips.second }));
  await servers((all) => expect(all.map((each) => each.service)).toEqual([`TCP ${vips.second}:80`]));
  await answers(vips.second);
});

test('an external IP is no address of the API server, and no longer one when a Node comes with it', async () => {
  const external = { externalIPs: ['198.51.100.9', rootAddresses.IPv4] };
  await kubernetes.apply(service({ name: 'reached', clusterIP: vips.reached, spec: external }));
  const second = `TCP ${vips.second}:80`;
  const reached = `TCP ${vips.reached}:80`;
  await servers((all) =>
    expect(all.map((each) => each.service).sort()).toEqual([second, reached, 'TCP 198.51.100.9:80']),
  );
  const refusal = (reason: string, found: string): RegExp => new RegExp(`"reason":"${reason}".*"found":"${found}"`);
  expect(agent.output()).toMatch(refusal('address-of-the-api-server', rootAddresses.IPv4));
  await kubernetes.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node2' } });
  const status = { addresses: [{ type: 'InternalIP', address: '198.51.100.9' }] };
  const patchStatus = ['--subresource=status', '--type=merge', `--patch=${JSON.stringify({ status })}`];
  await kubernetes.kubectl(['patch', 'node/node2', ...patchStatus]);
  await servers((all) => expect(all.map((each) => each.service).sort()).toEqual([second, reached]));
  expect(agent.output()).toMatch(refusal('address-of-a-node', '198.51.100.9'));
  await kubernetes.kubectl(['delete', 'node/node2']);
  await servers((all) => expect(all.map((each) => each.service)).toContain('TCP 198.51.100.9:80'));
  await kubernetes.kubectl(['delete', 'service/reached']);
  await servers((all) => expect(all.map((each) => each.service)).toEqual([second]));
});

test('the service ranges of the API server are followed', async () => {
  const ranges = async (): Promise<string> => {
    const text = await world.run(world.node('node1'), ['nft', 'list', 'set', 'inet', 'sluice', 'service_ranges4']);
    return /elements = \{ (.*) \}/.exec(text)?.[1] ?? '';
  };
  const more = { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: 'more' } };
  await vi.waitFor(async () => expect(await ranges()).toBe(serviceCIDRs.IPv4), waiting);
  await kubernetes.apply({ ...more, spec: { cidrs: ['10.250.0.0/16'] } });
  await vi.waitFor(async () => expect(await ranges()).toBe(`${serviceCIDRs.IPv4}, 10.250.0.0/16`), waiting);
  await kubernetes.kubectl(['delete', 'servicecidr/more']);
  await vi.waitFor(async () => expect(await ranges()).toBe(serviceCIDRs.IPv4), waiting);
});

test('a frozen API server disturbs nothing, and what it is told next is in force', async () => {
  const before = await settled();
  kubernetes.signalApiServer('SIGSTOP');
  await sleep(8_000);
  const during = await listing(world.node('node1'));
  kubernetes.signalApiServer('SIGCONT');
  expect(during).toEqual(before);
  await kubernetes.kubectl(['annotate', '--overwrite', 'service/second', 'sluice.dev/scheduler=sh']);
  await servers((all) => expect(all).toMatchObject([{ scheduler: 'sh' }]));
});

test('an API server that is away for 60 s breaks nothing; its changes come when it returns', async () => {
  const before = await settled();
  const established = world.traffic.connect('client', target(vips.second), { intervalMs: 200 });
  const requests = world.traffic.stream('client', target(vips.second), { intervalMs: 200 });
  await established.next();
  await kubernetes.stopApiServer('SIGKILL');
  await sleep(60_000);
  expect(await listing(world.node('node1'))).toEqual(before);
  await kubernetes.startApiServer();
  await kubernetes.apply(service({ name: 'meanwhile', clusterIP: vips.meanwhile }));
  await kubernetes.apply(endpointSlice('meanwhile', endpoints));
  await answers(vips.meanwhile, 80, 70_000);
  expect(established.failures).toEqual([]);
  expect(requests.failures).toEqual([]);
  expect(requests.results.length).toBeGreaterThan(100);
  await established.stop();
  await requests.stop();
});

test('a token that was replaced in its file is used when the old one is no longer valid', async () => {
  const old = (await readFile(tokenFile(kubeconfig), 'utf8')).trim();
  await kubernetes.kubectl(['-n', 'kube-system', 'delete', 'serviceaccount/sluice']);
  await kubernetes.kubectl(['apply', '--server-side', '-f', manifest]);
  const token = await kubernetes.kubectl(['-n', 'kube-system', 'create', 'token', 'sluice']);
  await writeFile(tokenFile(kubeconfig), token);
  await kubernetes.stopApiServer('SIGTERM');
  await kubernetes.startApiServer();
  expect(await statusWith(old)).toBe('401');
  await kubernetes.apply(service({ name: 'rotated', clusterIP: vips.rotated }), endpointSlice('rotated', endpoints));
  await answers(vips.rotated, 80, 60_000);
});

const waiting = { timeout: 15_000, interval: 100 } as const;

function startAgent(): void {
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    '--hostname-override=node1',
    `--cluster-cidr=${clusterRanges}`,
    '--ipvs-graceful-period=0s',
    '--log-level=debug',
  ];
  agent = world.start(world.node('node1'), [process.execPath, bundle, 'run', ...flags]);
}

function target(address: string, port = 80) {
  return { protocol: 'TCP', address, port } as const;
}

/** Waits until a request from outside is answered by a pod. */
async function answers(address: string, port = 80, patienceMs = 5000): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const result = await world.request(world.client('client'), target(address, port), { deadlineMs: 200 });
    if (isAnswer(result)) return;
    if (performance.now() > deadline) {
      throw new Error(`${address}:${port}: ${result} for ${patienceMs} ms\n${agent.output().slice(-4000)}`);
    }
    await sleep(20);
  }
}

/** Waits until the virtual servers fit, without that of the API server's own Service. */
async function servers(fits: (all: readonly ObservedVirtualServer[]) => void): Promise<void> {
  await vi.waitFor(async () => {
    const all = await readVirtualServers(world.node('node1'));
    fits(all.filter((each) => each.service !== 'TCP 10.96.0.1:443'));
  }, waiting);
}

async function patch(spec: object): Promise<void> {
  await kubernetes.kubectl(['patch', 'service/second', '--type=merge', `--patch=${JSON.stringify({ spec })}`]);
}

/** The listing once it is the same twice: neighbours and link-local routes come by themselves. */
async function settled() {
  return vi.waitFor(async () => {
    const first = await listing(world.node('node1'));
    await sleep(500);
    expect(await listing(world.node('node1'))).toEqual(first);
    return first;
  }, waiting);
}

async function lists(): Promise<{ readonly page: string }> {
  return { page: await kubernetes.kubectl(['get', '--raw', '/metrics']) };
}

/** The sum of a metric of the API server for one resource. */
function metric(page: string, name: string, resource: string, verb?: string): number {
  const lines = page
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && line.includes(`resource="${resource}"`));
  const counted = lines.filter((line) => verb === undefined || line.includes(`verb="${verb}"`));
  return counted.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** The same kubeconfig with its token in a file beside it. */
async function withTokenFile(path: string): Promise<string> {
  const config = await readFile(path, 'utf8');
  const token = /"token": "([^"]+)"/.exec(config)?.[1] ?? '';
  await writeFile(tokenFile(path), token);
  await writeFile(path, config.replace(/"token": "[^"]+"/, `"tokenFile": ${JSON.stringify(tokenFile(path))}`));
  return path;
}

function tokenFile(path: string): string {
  return `${path}.token`;
}

async function statusWith(token: string): Promise<string> {
  const options = ['--silent', '--insecure', '--output', '/dev/null', '--write-out', '%{http_code}'];
  const url = `https://${rootAddresses.IPv4}:6443/api/v1/services`;
  const { stdout } = await execute('-', ['curl', ...options, '--header', `Authorization: Bearer ${token}`, url]);
  return stdout;
}
