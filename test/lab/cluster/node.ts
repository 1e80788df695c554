import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterProgram } from '../../prerequisites/kubernetes.ts';
import { execute, output } from '../execute.ts';
import { type Server, startServer } from '../kubernetes/server.ts';
import type { Kubernetes } from '../kubernetes.ts';
import type { WorldNode } from '../world/places.ts';
import { prepareCgroup } from './cgroup.ts';
import { clusterDomain, dnsAddress } from './dns.ts';
import { onNode, type Runtime, startRuntime } from './runtime.ts';

/** A node that runs pods. */
export interface ClusterNode {
  readonly name: string;
  readonly place: WorldNode;
  readonly runtime: Runtime;
  /** Manifests in this folder are the node's static pods. */
  readonly staticPods: string;
  readonly servers: readonly Server[];
  readonly importArchive: (path: string) => Promise<void>;
  readonly remove: () => Promise<void>;
}

const startLimitMs = 120_000;
const staticPodsName = 'static-pods';
/** Empty: what the host asks for names is not the business of pods. */
const resolverName = 'resolv.conf';

/** Starts containerd and the kubelet in the node's namespace; the Node object has its pod ranges afterwards. */
export async function startNode(place: WorldNode, kubernetes: Kubernetes): Promise<ClusterNode> {
  const folder = await mkdtemp(join(tmpdir(), `${place.name}-`));
  await output('-', ['mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', folder]);
  // Volumes that a container mounts for the host are to be seen by it.
  await output('-', ['mount', '--make-rshared', folder]);
  // Between two pods on one bridge, answers would go past IPVS.
  await output(place.name, [
    'sh',
    '-c',
    'for each in /proc/sys/net/bridge/bridge-nf-call-ip*tables; do echo 1 >$each; done',
  ]);
  for (const family of ['IPv4', 'IPv6'] as const) {
    // The API server and CoreDNS, in the root namespace, answer pods.
    await output('-', ['ip', 'route', 'replace', place.podCIDR[family], 'via', place.addresses[family][0] ?? '']);
  }
  const runtime = await startRuntime(place, folder, startLimitMs);
  await prepareCgroup(place.name);
  await showClockSpeed(folder);
  const kubelet = await startKubelet(place, folder, runtime, kubernetes);
  return {
    name: place.name,
    place,
    runtime,
    staticPods: join(folder, staticPodsName),
    servers: [runtime.server, kubelet],
    importArchive: async (path) => void (await runtime.ctr('images', 'import', path)),
    remove: async () => {
      await kubelet.end('SIGKILL');
      await removeContainers(runtime);
      await runtime.server.end('SIGTERM');
      // Lazily: what the containers had mounted goes with it.
      await execute('-', ['umount', '--recursive', '--lazy', folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The kubelet reads it from here, and user-mode Linux has none. */
async function showClockSpeed(folder: string): Promise<void> {
  const file = join(folder, 'cpuinfo');
  await writeFile(file, 'processor : 0\ncpu MHz : 2000.000\n');
  await output('-', ['mount', '--bind', file, '/proc/cpuinfo']);
}

async function startKubelet(
  place: WorldNode,
  folder: string,
  runtime: Runtime,
  kubernetes: Kubernetes,
): Promise<Server> {
  await mkdir(join(folder, staticPodsName));
  await writeFile(join(folder, resolverName), '');
  const file = join(folder, 'kubelet.json');
  await writeFile(file, JSON.stringify(configuration(place, folder, runtime)));
  const command = [
    clusterProgram('kubelet'),
    `--config=${file}`,
    `--kubeconfig=${kubernetes.adminKubeconfig}`,
    `--root-dir=${join(folder, 'kubelet')}`,
    `--cert-dir=${join(folder, 'kubelet-certificates')}`,
    `--hostname-override=${place.name}`,
    `--node-ip=${place.addresses.IPv4[0] ?? ''},${place.addresses.IPv6[0] ?? ''}`,
  ];
  const kubelet = startServer(onNode(place, command));
  const name = ['get', 'node', place.name, '--ignore-not-found', '--output=name'];
  await kubelet.ready(async () => (await kubernetes.kubectl(name)) !== '', startLimitMs);
  const { IPv4, IPv6 } = place.podCIDR;
  await kubernetes.kubectl([
    'patch',
    'node',
    place.name,
    `--patch=${JSON.stringify({ spec: { podCIDR: IPv4, podCIDRs: [IPv4, IPv6] } })}`,
  ]);
  return kubelet;
}

function configuration(place: WorldNode, folder: string, runtime: Runtime): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${runtime.socket}`,
    staticPodPath: join(folder, staticPodsName),
    podLogsDir: join(folder, 'pod-logs'),
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${place.name}`,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    clusterDNS: [dnsAddress],
    clusterDomain,
    resolvConf: join(folder, resolverName),
    // It would make chains of its own on the node, which listings would show.
    makeIPTablesUtilChains: false,
    // The disk is memory.
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      'memory.available': '1Mi',
      'nodefs.available': '0%',
      'imagefs.available': '0%',
      'nodefs.inodesFree': '0%',
    },
    nodeStatusUpdateFrequency: '5s',
    syncFrequency: '10s',
  };
}

/** What the kubelet would do in an hour: a shim outlives its containerd. */
async function removeContainers(runtime: Runtime): Promise<void> {
  const tasks = await runtime.ctr('tasks', 'list', '--quiet').catch(() => '');
  for (const each of tasks.split('\n').filter((line) => line !== '')) {
    await runtime.ctr('tasks', 'delete', '--force', each).catch(() => '');
  }
}
