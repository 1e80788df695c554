import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { controllerManagerCommand, schedulerCommand } from './cluster/control-plane.ts';
import { startDns } from './cluster/dns.ts';
import { answeringImage } from './cluster/images.ts';
import { type ClusterNode, startNode } from './cluster/node.ts';
import { withScratch } from './cluster/scratch.ts';
import { type Image, writeImage, writePauseImage } from './containerd/image.ts';
import { type Server, startServer } from './kubernetes/server.ts';
import { type Kubernetes, startKubernetes } from './kubernetes.ts';
import { rootAddresses } from './world/places.ts';
import { createWorld, type World } from './world.ts';

/** A cluster whose nodes run containers: everything of Kubernetes but a service proxy. */
export interface Cluster {
  /** The nodes' namespaces, and the clients outside. It has no pods of its own: those are containers here. */
  readonly world: World;
  readonly kubernetes: Kubernetes;
  readonly nodes: readonly ClusterNode[];
  /** Imports an image archive (OCI or Docker) on every node. */
  readonly importArchive: (path: string) => Promise<void>;
  /** Makes an image and imports it on every node. */
  readonly importImage: (image: Image) => Promise<void>;
  /** Waits until `isDone`; throws, with the state of all pods and the logs, when that takes longer. */
  readonly waitUntil: (what: string, isDone: () => Promise<boolean>, limitMs?: number) => Promise<void>;
  /** Waits until a Deployment's or a DaemonSet's pods of the newest template are available, and no other is left. */
  readonly rolledOut: (resource: string, namespace?: string) => Promise<void>;
  /** Ends everything and removes the files. */
  readonly remove: () => Promise<void>;
}

/** What a cluster is to consist of. */
export interface ClusterDescription {
  readonly nodes: readonly string[];
  readonly clients?: readonly string[];
}

/** Under user-mode Linux on a busy machine. */
const patienceMs = 300_000;

/** Starts a control plane in the root namespace and nodes in their own, and waits until all are Ready. */
export async function startCluster(
  description: ClusterDescription,
  report: (line: string) => void = () => {},
): Promise<Cluster> {
  const ends: (() => Promise<void>)[] = [];
  const remove = async () => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    return { ...(await start(description, ends, report)), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function start(
  { nodes: names, clients = [] }: ClusterDescription,
  ends: (() => Promise<void>)[],
  report: (line: string) => void,
): Promise<Omit<Cluster, 'remove'>> {
  const world = await createWorld({ nodes: names.map((name) => ({ name })), clients });
  ends.push(world.remove);
  const kubernetes = await startKubernetes({ address: rootAddresses.IPv4, hasServiceAccounts: true });
  ends.push(kubernetes.remove);
  report('the API server is ready');
  // One after the other: all at once they would keep each other waiting beyond their own time limits.
  const nodes: ClusterNode[] = [];
  for (const name of names) {
    const node = await startNode(world.node(name), kubernetes);
    ends.push(node.remove);
    nodes.push(node);
    report(`${name} has registered`);
  }
  const servers = [controllerManagerCommand(kubernetes), schedulerCommand(kubernetes)].map((each) => startServer(each));
  ends.push(async () => void (await Promise.all(servers.map((each) => each.end('SIGKILL')))));
  const dns = await startDns(kubernetes);
  ends.push(dns.remove);
  const importArchive = async (path: string) => {
    for (const node of nodes) await node.importArchive(path);
  };
  const importImage = (image: Image) => withScratch((folder) => writeImage(image, folder).then(importArchive));
  const logs = () => [...servers, dns.server, ...nodes.flatMap((each) => each.servers)];
  const waitUntil: Cluster['waitUntil'] = async (what, isDone, limitMs = patienceMs) => {
    const deadline = performance.now() + limitMs;
    while (!(await isDone())) {
      const over = logs().find((each) => each.isOver());
      if (over !== undefined) throw new Error(`a server of the cluster ended:\n${over.log()}`);
      if (performance.now() > deadline) {
        throw new Error(`${what}: expected within ${limitMs} ms, not so.\n${await describe(kubernetes, logs())}`);
      }
      await sleep(1000);
    }
  };
  await withScratch((folder) => writePauseImage(folder).then(importArchive));
  await importImage(answeringImage());
  report('the images are imported');
  for (const node of nodes) await waitUntil(`node ${node.name} Ready`, () => isNodeReady(kubernetes, node.name));
  return {
    world,
    kubernetes,
    nodes,
    importArchive,
    importImage,
    waitUntil,
    rolledOut: (resource, namespace = 'default') =>
      waitUntil(`${resource} rolled out`, () => isRolledOut(kubernetes, resource, namespace)),
  };
}

async function isNodeReady(kubernetes: Kubernetes, name: string): Promise<boolean> {
  const condition = '{.status.conditions[?(@.type=="Ready")].status}';
  const status = await kubernetes.kubectl([
    'get',
    'node',
    name,
    '--ignore-not-found',
    `--output=jsonpath=${condition}`,
  ]);
  return status === 'True';
}

/** What `kubectl rollout status` waits for, which would not tell why it waits. */
async function isRolledOut(kubernetes: Kubernetes, resource: string, namespace: string): Promise<boolean> {
  const said = await kubernetes.kubectl(['rollout', 'status', resource, `--namespace=${namespace}`, '--watch=false']);
  return said.includes('successfully rolled out');
}

async function describe(kubernetes: Kubernetes, servers: readonly Server[]): Promise<string> {
  const kubectl = (...args: readonly string[]) => kubernetes.kubectl(args).catch(String);
  const parts = [
    await kubectl('get', 'nodes,pods', '--all-namespaces', '--output=wide'),
    await kubectl('get', 'events', '--all-namespaces', '--sort-by=.lastTimestamp'),
    ...servers.map((each) => each.log().slice(-3000)),
    await readFile('/proc/meminfo', 'utf8').then((text) => text.split('\n').slice(0, 3).join('\n')),
  ];
  return parts.join('\n----\n');
}
