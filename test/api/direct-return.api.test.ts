/** The agent as installed, with the rights of the manifest, and pods of a real containerd with CNI. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openContainerRuntime } from '../../src/cri/open-container-runtime.ts';
import { type Containerd, startContainerd } from '../lab/containerd.ts';
import { execute, output } from '../lab/execute.ts';
import { type Listing, listing } from '../lab/state/listing.ts';
import type { Place } from '../lab/world/places.ts';
import { type Agent, type AgentInput, runSluice, startAgent } from '../scenarios/agent.ts';
import { type ManifestFolder, makeManifestFolder, nodeObject, service } from '../scenarios/manifests.ts';
import { listPod } from '../support/pod-listing.ts';

/** The root namespace of the lab by a name: containerd puts the ends of pods' links there. */
const node = 'node1';
const place = { name: node } as Place;
const client = { IPv4: '203.0.113.2', IPv6: 'fd03::2' } as const;
const vips = { IPv4: '198.51.100.7', IPv6: '2001:db8:e::7' } as const;
const families = ['IPv4', 'IPv6'] as const;
const dsr = { 'sluice.dev/dsr': 'tunnel' };

interface TestPod {
  readonly id: string;
  readonly path: string;
  readonly addresses: readonly string[];
  readonly server: ChildProcess;
}

let containerd: Containerd;
let manifests: ManifestFolder;
let input: AgentInput;
let agent: Agent;
let pod: TestPod;
let pristine: { readonly node: Listing; readonly checks: string; readonly pod: string };

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'direct-return-'));
  containerd = await startContainerd();
  await makeNetwork();
  pod = await runPod('web');
  manifests = await makeManifestFolder(join(folder, 'manifests'));
  await write({});
  const flags = [
    '--cluster-cidr=10.1.0.0/24,fd01::/64',
    '--direct-return',
    `--runtime-endpoint=unix://${containerd.socket}`,
    `--direct-return-records=${join(folder, 'records')}`,
  ];
  input = { node, manifests: manifests.path, flags, isContained: true, capabilities: ['net_admin', 'sys_admin'] };
  pristine = await listAll();
}, 300_000);

afterAll(async () => {
  await agent.end('SIGKILL');
  pod.server.kill('SIGKILL');
  await containerd.remove();
  await runSluice(input, 'cleanup');
  // The tests that come after make worlds with these names.
  for (const command of [
    'sysctl -qw net.ipv4.conf.all.rp_filter=0',
    'ip link delete vext',
    'ip netns delete ext',
    `ip netns delete ${node}`,
  ]) {
    await output('-', command.split(' '));
  }
});

async function makeNetwork(): Promise<void> {
  const commands = [
    'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=1',
    `ip netns attach ${node} 1`,
    'ip netns add ext',
    'ip link add vext type veth peer name eth0 netns ext',
    'ip address add 203.0.113.1/24 dev vext',
    'ip address add fd03::1/64 dev vext nodad',
    'ip link set vext up',
    `ip -n ext address add ${client.IPv4}/24 dev eth0`,
    `ip -n ext address add ${client.IPv6}/64 dev eth0 nodad`,
    'ip -n ext link set eth0 up',
    'ip -n ext route add default via 203.0.113.1',
    'ip -n ext -6 route add default via fd03::1',
  ];
  for (const command of commands) await output('-', command.split(' '));
}

/** A pod that answers on port 80 with the address of whoever asks. */
async function runPod(name: string): Promise<TestPod> {
  const id = await containerd.sandboxes.run({ namespace: 'scenario', name });
  const runtime = openContainerRuntime(containerd.socket);
  const sandbox = await runtime.readSandbox(id);
  runtime.close();
  const { networkNamespace: path = '', addresses = [] } = sandbox ?? {};
  const program = "require('http').createServer((q, r) => r.end(q.socket.remoteAddress)).listen(80, '::')";
  const server = spawn('nsenter', [`--net=${path}`, process.execPath, '-e', program], { stdio: 'inherit' });
  return { id, path, addresses, server };
}

async function write(annotations: Readonly<Record<string, string>>): Promise<void> {
  const ports = [{ name: 'http', protocol: 'TCP', port: 80 }] as const;
  const slices = families.map((family, index) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `web-${family}`.toLowerCase(),
      namespace: 'scenario',
      labels: { 'kubernetes.io/service-name': 'web' },
    },
    addressType: family,
    ports,
    endpoints: [
      {
        addresses: [pod.addresses[index]],
        nodeName: node,
        targetRef: { kind: 'Pod', namespace: 'scenario', name: 'web' },
        conditions: { ready: true, serving: true, terminating: false },
      },
    ],
  }));
  await manifests.write('web.json', [
    nodeObject(node, ['203.0.113.1', 'fd03::1']),
    service({
      name: 'web',
      clusterIPs: ['10.96.0.1', 'fd00:96::1'],
      externalIPs: Object.values(vips),
      ports,
      annotations,
    }),
    ...slices,
  ]);
}

async function listAll(): Promise<typeof pristine> {
  return { node: await listing(place), checks: await checks(), pod: listPod(pod.path) };
}

/** The reverse-path check of every interface of the node. */
function checks(): Promise<string> {
  return output('-', ['sysctl', '-a', '--pattern', String.raw`^net\.ipv4\.conf\..*\.rp_filter`]);
}

/** What the pod saw as the client; '' when nobody answered. */
async function ask(family: (typeof families)[number]): Promise<string> {
  const host = family === 'IPv4' ? vips.IPv4 : `[${vips.IPv6}]`;
  const { stdout } = await execute('ext', ['curl', '-s', '-m', '3', `http://${host}/`]);
  return stdout.replace('::ffff:', '');
}

const waiting = { timeout: 60_000, interval: 300 };

test('a pod is prepared with the rights of the manifest, and answers the client itself', async () => {
  await write(dsr);
  agent = startAgent(input);
  await agent.synced;
  for (const family of families) {
    await expect.poll(() => listPod(pod.path), waiting).toContain(vips[family]);
    await expect.poll(() => ask(family), waiting).toBe(client[family]);
  }
  const servers = await output('-', ['ipvsadm', '-Ln']);
  expect(servers.match(/ Tunnel +1 /g)).toHaveLength(2);
  // Strict would drop what the pod answers with a VIP as its source.
  expect(await checks()).toContain('.rp_filter = 2');
});

test('it goes on answering while the agent is killed and starts again', async () => {
  await agent.end('SIGKILL');
  for (const family of families) expect(await ask(family)).toBe(client[family]);
  agent = startAgent(input);
  await agent.synced;
  for (const family of families) expect(await ask(family)).toBe(client[family]);
});

test('it is as before when the annotation goes', async () => {
  await write({});
  await expect.poll(() => listPod(pod.path), waiting).toBe(pristine.pod);
  for (const family of families) await expect.poll(() => ask(family), waiting).not.toBe('');
});

test('node and pod are as before after cleanup, also of an agent that was killed', async () => {
  await write(dsr);
  for (const family of families) await expect.poll(() => ask(family), waiting).toBe(client[family]);
  await agent.end('SIGKILL');
  const { status, stderr } = await runSluice(input, 'cleanup');
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(await listAll()).toEqual(pristine);
});

test('a pod that vanished is forgotten', async () => {
  agent = startAgent(input);
  await expect.poll(() => ask('IPv4'), waiting).toBe(client.IPv4);
  pod.server.kill('SIGKILL');
  await containerd.sandboxes.stop(pod.id);
  await containerd.sandboxes.remove(pod.id);
  await write({});
  await agent.line((line) => line.msg === 'pod is gone, forgotten', 60_000);
  await agent.end('SIGTERM');
  const { status, stderr } = await runSluice(input, 'cleanup');
  expect([status, stderr]).toEqual([0, '']);
});
