import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { execute, inNamespace, output } from './execute.ts';
import type { RequestResult, Target } from './traffic/result.ts';
import { type RequestOptions, startTraffic, type Traffic } from './traffic/traffic.ts';
import {
  gatewayCommands,
  linkName,
  namespaceCommands,
  namespaceNames,
  type Places,
  wireCommands,
} from './world/commands.ts';
import {
  type Family,
  type Place,
  placeClient,
  placeNode,
  placePod,
  podPort,
  type WorldClient,
  type WorldNode,
  type WorldPod,
} from './world/places.ts';

/** What a world is to consist of. Names become names of network namespaces and, with a prefix, of links: 11 letters. */
export interface WorldDescription {
  /** Both unless told. */
  readonly families?: readonly Family[];
  /** At most 9. The first has 192.0.2.10 and fd02::10, its first pod 10.1.0.2 and fd10:1::2. */
  readonly nodes: readonly {
    readonly name: string;
    readonly pods?: readonly string[];
    /** How many addresses it has in each family; 1 unless told, at most 10. */
    readonly addresses?: number;
  }[];
  /** Outside the cluster: 203.0.113.2, fd03::2 and so on. Their gateway is the first node. */
  readonly clients?: readonly string[];
}

/** A process that a test started in a namespace. */
export interface WorldProcess {
  readonly child: ChildProcess;
  /** All it has said, both streams. */
  readonly output: () => string;
  /** Sends a signal, SIGTERM unless told, and waits for the end. */
  readonly end: (signal?: NodeJS.Signals) => Promise<void>;
}

/** Nodes, pods and clients as network namespaces on one kernel, and the traffic between them. */
export interface World {
  readonly families: readonly Family[];
  readonly node: (name: string) => WorldNode;
  readonly pod: (name: string) => WorldPod;
  readonly client: (name: string) => WorldClient;
  readonly traffic: Traffic;
  /** One request. */
  readonly request: (from: Place, target: Target, options?: RequestOptions) => Promise<RequestResult>;
  /** So many requests, one after the other. */
  readonly requests: (from: Place, target: Target, count: number) => Promise<readonly RequestResult[]>;
  /** Makes another node the way of a client into the cluster. */
  readonly useGateway: (client: WorldClient, node: WorldNode) => Promise<void>;
  /** Runs a command in a place to its end; throws with what it said when it fails. */
  readonly run: (at: Place, command: readonly string[], input?: string) => Promise<string>;
  /** Starts a process in a place, for example the agent. It is ended with the world. */
  readonly start: (at: Place, command: readonly string[], env?: Readonly<Record<string, string>>) => WorldProcess;
  /** Removes everything, in whatever state it is. */
  readonly remove: () => Promise<void>;
}

/** Makes a world. Each pod answers TCP, UDP and SCTP at `podPort`. One world at a time. */
export async function createWorld(description: WorldDescription): Promise<World> {
  const places = placeAll(description);
  const traffic = startTraffic();
  const processes = new Set<WorldProcess>();
  const remove = () => removeWorld(places, traffic, processes);
  try {
    await build(places, traffic);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    families: places.families,
    node: (name) => named(places.nodes, name),
    pod: (name) => named(places.pods, name),
    client: (name) => named(places.clients, name),
    traffic,
    request: (from, target, options) => traffic.request(from.name, target, options),
    requests: async (from, target, count) => {
      const results: RequestResult[] = [];
      for (let sent = 0; sent < count; sent++) results.push(await traffic.request(from.name, target));
      return results;
    },
    useGateway: (client, node) => runBatch(client.name, gatewayCommands(places.families, node)),
    run: (at, command, input) => output(at.name, command, input),
    start: (at, command, env = {}) => {
      const started = startProcess(inNamespace(at.name, command), env);
      processes.add(started);
      return started;
    },
    remove,
  };
}

function placeAll(description: WorldDescription): Places {
  const { families = ['IPv4', 'IPv6'], nodes, clients = [] } = description;
  const gateway = nodes[0]?.name ?? '';
  return {
    families,
    nodes: nodes.map(({ name, addresses = 1 }, index) => placeNode(name, index + 1, addresses)),
    pods: nodes.flatMap(({ name, pods = [] }, index) =>
      pods.map((pod, podIndex) => placePod(pod, name, index + 1, podIndex + 1)),
    ),
    clients: clients.map((name, index) => placeClient(name, gateway, index + 1)),
  };
}

async function build(places: Places, traffic: Traffic): Promise<void> {
  await runBatch(
    '-',
    namespaceNames(places).map((name) => `netns add ${name}`),
  );
  await setSysctls(places, traffic);
  await runBatch('-', wireCommands(places));
  await Promise.all([...namespaceCommands(places)].map(([name, commands]) => runBatch(name, commands)));
  const listeners = places.pods.flatMap(({ name, addresses }) =>
    places.families.flatMap((family) =>
      addresses[family].flatMap((address) =>
        (['TCP', 'UDP', 'SCTP'] as const).map((protocol) => ({ name, target: { protocol, address, port: podPort } })),
      ),
    ),
  );
  await Promise.all(listeners.map(({ name, target }) => traffic.listen(name, target, name)));
}

/** Before there are links, because a link copies what is the default when it is made. */
async function setSysctls(places: Places, traffic: Traffic): Promise<void> {
  const forwarding = ['/proc/sys/net/ipv4/ip_forward', '/proc/sys/net/ipv6/conf/all/forwarding'];
  // Duplicate address detection keeps a link-local address, and so neighbour discovery, waiting for a second or two.
  const detection = '/proc/sys/net/ipv6/conf/default/accept_dad';
  await Promise.all([
    ...places.nodes.flatMap(({ name }) => forwarding.map((path) => traffic.writeSysctl(name, path, '1'))),
    ...['-', ...namespaceNames(places)].map((name) => traffic.writeSysctl(name, detection, '0')),
  ]);
}

async function runBatch(namespace: string, commands: readonly string[]): Promise<void> {
  const place = namespace === '-' ? [] : ['-netns', namespace];
  await output('-', ['ip', ...place, '-batch', '-'], `${commands.join('\n')}\n`);
}

function named<P extends Place>(places: readonly P[], name: string): P {
  const found = places.find((each) => each.name === name);
  if (found !== undefined) return found;
  throw new Error(`this world has no "${name}", only ${places.map((each) => each.name).join(', ')}`);
}

function startProcess(command: readonly string[], env: Readonly<Record<string, string>>): WorldProcess {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const ended = once(child, 'close').catch((error: unknown) => {
    said += String(error);
  });
  return {
    child,
    output: () => said,
    end: async (signal = 'SIGTERM') => {
      child.kill(signal);
      await ended;
    },
  };
}

async function removeWorld(places: Places, traffic: Traffic, processes: ReadonlySet<WorldProcess>): Promise<void> {
  await Promise.all([...processes].map((each) => each.end('SIGKILL')));
  await traffic.end();
  const namespaces = namespaceNames(places).map((name) => `netns del ${name}`);
  // A namespace goes a while after its name; its wire must not be in the way of the next world.
  const wires = [...places.nodes, ...places.clients].map(({ name }) => `link del up-${name}`);
  // -force: what a failed start did not make cannot be removed, the rest can.
  await execute('-', ['ip', '-force', '-batch', '-'], [`link del ${linkName}`, ...wires, ...namespaces, ''].join('\n'));
}
