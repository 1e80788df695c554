/**
 * Two nodes with an agent each, pods on both, a client outside whose way into the cluster is node1. The agents find the
 * pods' networks through a container runtime that knows what the test tells it.
 */

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RuntimeServer, servedSandbox, serveRuntime } from '../../cri/runtime-server.ts';
import { output } from '../../lab/execute.ts';
import { clusterRanges, type Family, podPort, type WorldPod } from '../../lab/world/places.ts';
import { createWorld, type World } from '../../lab/world.ts';
import { type Agent, type AgentInput, startAgent } from '../agent.ts';
import {
  type EndpointInput,
  endpointAt,
  endpointSlice,
  type ManifestFolder,
  makeManifestFolder,
  namespace,
  nodeObject,
  type ServiceInput,
  service,
} from '../manifests.ts';

export const families: readonly Family[] = ['IPv4', 'IPv6'];
export const protocols = ['TCP', 'UDP'] as const;
export const nodeNames = ['node1', 'node2'] as const;

/** Of the Service `web`; the client sends what is for it to node1. */
export const vip = { IPv4: '198.51.100.7', IPv6: '2001:db8:7::7' } as const;
export const clusterIP = { IPv4: '10.96.0.80', IPv6: 'fd00:96::80' } as const;

/** Where `bulk` servers listen. */
export const bulkPort = 9090;

const ports = [
  { name: 'tcp', protocol: 'TCP', port: podPort },
  { name: 'udp', protocol: 'UDP', port: podPort },
  { name: 'bulk', protocol: 'TCP', port: bulkPort },
] as const;

export type Endpoints = Readonly<Record<string, EndpointInput['condition']>>;

export interface Cluster {
  readonly world: World;
  readonly folder: ManifestFolder;
  readonly agents: Map<string, Agent>;
  readonly agentInput: (node: string) => AgentInput;
  /** Tells both agents that these pods are the endpoints of `web`. */
  readonly publish: (endpoints: Endpoints) => Promise<void>;
  /** Tells both agents of the Service `web`; it asks for direct return unless `fields` say otherwise. */
  readonly serve: (fields?: Partial<ServiceInput>) => Promise<void>;
  readonly remove: () => Promise<void>;
}

export interface ClusterInput {
  readonly pods: Readonly<Record<(typeof nodeNames)[number], readonly string[]>>;
  /** Of every interface; 1500 unless told. */
  readonly mtu?: number;
}

/** Agents are not started. */
export async function makeCluster({ pods, mtu = 1500 }: ClusterInput): Promise<Cluster> {
  const nodes = nodeNames.map((name) => ({ name, pods: pods[name] }));
  const world = await createWorld({ nodes, clients: ['client'] });
  const path = await mkdtemp(join(tmpdir(), 'direct-return-'));
  const folder = await makeManifestFolder(join(path, 'manifests'));
  const agents = new Map<string, Agent>();
  const podNames = [...pods.node1, ...pods.node2];
  const runtime = await serveRuntime(join(path, 'runtime.sock'));
  for (const name of podNames) {
    await addPod(world.pod(name), world, runtime);
  }
  if (mtu !== 1500) {
    await setMtu(world, pods, mtu);
  }
  const addressesOf = (name: string): readonly string[] => families.flatMap((each) => world.node(name).addresses[each]);
  await folder.write(
    'nodes.json',
    nodeNames.map((name) => nodeObject(name, addressesOf(name))),
  );
  return {
    world,
    folder,
    agents,
    agentInput: (node) => ({
      node,
      manifests: folder.path,
      flags: [
        '--direct-return',
        `--runtime-endpoint=${runtime.socket}`,
        `--direct-return-records=${join(path, `records-${node}`)}`,
        `--cluster-cidr=${clusterRanges}`,
      ],
    }),
    publish: (endpoints) =>
      folder.write(
        'web-endpoints.json',
        families.map((family) => sliceOf(world, family, endpoints)),
      ),
    serve: (fields = {}) =>
      folder.write('web.json', [
        service({
          name: 'web',
          clusterIPs: [clusterIP.IPv4, clusterIP.IPv6],
          externalIPs: [vip.IPv4, vip.IPv6],
          ports,
          annotations: { 'kube-router.io/service.dsr': 'tunnel' },
          ...fields,
        }),
      ]),
    remove: async () => {
      for (const agent of agents.values()) {
        await agent.end('SIGKILL');
      }
      runtime.close();
      await world.remove();
    },
  };
}

/** Starts the agents of these nodes and waits until they have programmed what they found. */
export async function startAgents(cluster: Cluster, nodes: readonly string[] = nodeNames): Promise<void> {
  const started = nodes.map((node) => {
    const agent = startAgent(cluster.agentInput(node));
    cluster.agents.set(node, agent);
    return agent.synced;
  });
  await Promise.all(started);
}

/** The destinations on a node that are tunnelled to and take connections: `10.1.0.2:8080`, each as often as it is one. */
export async function tunnelDestinations(node: string): Promise<readonly string[]> {
  const listing = await output(node, ['ipvsadm', '-Ln']);
  return [...listing.matchAll(/-> (\S+) +Tunnel +1 /g)].map(([, address = '']) => address).sort();
}

/** It answers at the VIPs too, whether it holds them already or not, and takes and sends bulk. */
async function addPod(pod: WorldPod, { traffic, start }: World, runtime: RuntimeServer): Promise<void> {
  const { name } = pod;
  for (const path of ['/proc/sys/net/ipv4/ip_nonlocal_bind', '/proc/sys/net/ipv6/ip_nonlocal_bind']) {
    await traffic.writeSysctl(name, path, '1');
  }
  for (const family of families) {
    for (const protocol of protocols) {
      await traffic.listen(name, { protocol, address: vip[family], port: podPort }, name);
    }
  }
  start(pod, ['python3', '-c', bulkServer]);
  runtime.sandboxes.set(
    name,
    servedSandbox({
      id: name,
      namespace,
      name,
      addresses: families.flatMap((family) => pod.addresses[family]),
      networkNamespace: `/run/netns/${name}`,
    }),
  );
}

async function setMtu(world: World, pods: ClusterInput['pods'], mtu: number): Promise<void> {
  for (const node of nodeNames) {
    const links = ['eth0', ...pods[node].map((pod) => `pod-${pod}`)];
    await world.run(world.node(node), ['sh', '-ec', links.map((link) => `ip link set ${link} mtu ${mtu}`).join('\n')]);
    for (const pod of pods[node]) {
      await world.run(world.pod(pod), ['ip', 'link', 'set', 'eth0', 'mtu', String(mtu)]);
    }
  }
  await world.run(world.client('client'), ['ip', 'link', 'set', 'eth0', 'mtu', String(mtu)]);
}

function sliceOf(world: World, family: Family, endpoints: Endpoints): ReturnType<typeof endpointSlice> {
  return endpointSlice({
    service: 'web',
    family,
    ports,
    endpoints: Object.entries(endpoints).map(([name, condition = 'ready']) => ({
      ...endpointAt(world.pod(name), family, condition),
      pod: name,
    })),
  });
}

/** Reads a number and as many bytes, and sends as many back. */
const bulkServer = `
import socket, threading
def serve(made):
    with made, made.makefile("rwb") as stream:
        size = int(stream.readline())
        left = size
        while left > 0:
            left -= len(stream.read(min(left, 65536)))
        stream.write(b"x" * size)
        stream.flush()
listener = socket.create_server(("::", ${bulkPort}), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
`;

/** Sends so many bytes and takes as many; prints how many came back, and after how many seconds. */
export const bulkClient = `
import socket, sys, threading, time
address, size = sys.argv[1], int(sys.argv[2])
began = time.monotonic()
with socket.create_connection((address, ${bulkPort}), timeout=20) as made:
    made.sendall(b"%d\\n" % size + b"x" * size)
    came = 0
    while True:
        part = made.recv(1 << 20)
        if not part:
            break
        came += len(part)
print(came, time.monotonic() - began)
`;
