import { type Family, linkRanges, rootAddresses, type WorldClient, type WorldNode, type WorldPod } from './places.ts';

/** The bridge in the root namespace that is the link of nodes and clients. */
export const linkName = 'uplink';

/** Commands for `ip -batch`, by namespace: "-" is the root's. In order. */
export type Batches = ReadonlyMap<string, readonly string[]>;

export interface Places {
  readonly families: readonly Family[];
  readonly nodes: readonly WorldNode[];
  readonly pods: readonly WorldPod[];
  readonly clients: readonly WorldClient[];
}

/** The names of all namespaces. */
export function namespaceNames({ nodes, pods, clients }: Places): readonly string[] {
  return [...nodes, ...pods, ...clients].map(({ name }) => name);
}

/** What makes the wires between the namespaces. To run in the root namespace. */
export function wireCommands({ families, nodes, pods, clients }: Places): readonly string[] {
  return [
    `link add ${linkName} type bridge`,
    `link set ${linkName} up`,
    ...families.map((family) => addAddress(rootAddresses[family], linkName, prefixLength(linkRanges.nodes[family]))),
    ...families.map((family) => route(linkRanges.clients[family], `dev ${linkName}`)),
    ...[...nodes, ...clients].map(
      ({ name }) => `link add up-${name} master ${linkName} up type veth peer name eth0 netns ${name}`,
    ),
    // A pod's wire: born in the pod's namespace, its other end named for the pod on the node.
    ...pods.map(({ name, node }) => `link add name pod-${name} netns ${node} type veth peer name eth0 netns ${name}`),
  ];
}

/** What sets up each namespace, once all wires are there. */
export function namespaceCommands(places: Places): Batches {
  return new Map<string, readonly string[]>([
    ...places.nodes.map((node) => [node.name, nodeCommands(node, places)] as const),
    ...places.pods.map((pod) => [pod.name, podCommands(pod, places)] as const),
    ...places.clients.map((client) => [client.name, clientCommands(client, places)] as const),
  ]);
}

/** What makes `node` the way of `client` to everything that is not on its link. */
export function gatewayCommands(families: readonly Family[], node: WorldNode): readonly string[] {
  return families.map((family) => `route replace default via ${node.addresses[family][0] ?? ''} dev eth0 onlink`);
}

function nodeCommands(node: WorldNode, { families, nodes, pods }: Places): readonly string[] {
  const others = nodes.filter((each) => each.name !== node.name);
  const own = pods.filter((each) => each.node === node.name);
  return [
    ...['lo', 'eth0', ...own.map(({ name }) => `pod-${name}`)].map((link) => `link set ${link} up`),
    ...families.flatMap((family) => [
      ...node.addresses[family].map((each) => addAddress(each, 'eth0', prefixLength(linkRanges.nodes[family]))),
      route(linkRanges.clients[family], 'dev eth0'),
      ...others.map((other) => route(other.podCIDR[family], `via ${other.addresses[family][0] ?? ''}`)),
      // An ordinary node has a default route; without one, IPv6 has no way to an address it does not know.
      `route add default via ${rootAddresses[family]}`,
      ...own.flatMap(({ name, addresses }) => [
        addAddress(node.podGateway[family], `pod-${name}`, hostPrefix[family]),
        ...addresses[family].map((each) => route(each, `dev pod-${name}`)),
      ]),
    ]),
  ];
}

function podCommands(pod: WorldPod, { families, nodes }: Places): readonly string[] {
  const node = nodes.find((each) => each.name === pod.node);
  return [
    'link set lo up',
    'link set eth0 up',
    ...families.flatMap((family) => [
      ...pod.addresses[family].map((each) => addAddress(each, 'eth0', hostPrefix[family])),
      ...(node === undefined
        ? []
        : [route(node.podGateway[family], 'dev eth0'), `route add default via ${node.podGateway[family]}`]),
    ]),
  ];
}

function clientCommands(client: WorldClient, { families, nodes }: Places): readonly string[] {
  const gateway = nodes.find((each) => each.name === client.gateway);
  return [
    'link set lo up',
    'link set eth0 up',
    ...families.flatMap((family) => [
      ...client.addresses[family].map((each) => addAddress(each, 'eth0', prefixLength(linkRanges.clients[family]))),
      route(linkRanges.nodes[family], 'dev eth0'),
    ]),
    ...(gateway === undefined ? [] : gatewayCommands(families, gateway)),
  ];
}

/** `nodad`: duplicate detection would keep an IPv6 address unusable for a second. */
function addAddress(address: string, link: string, prefix: string): string {
  return `address add ${address}/${prefix} dev ${link}${nodad(address.includes(':') ? 'IPv6' : 'IPv4')}`;
}

function nodad(family: Family): string {
  return family === 'IPv6' ? ' nodad' : '';
}

function route(to: string, how: string): string {
  return `route add ${to} ${how}`;
}

const hostPrefix: Readonly<Record<Family, string>> = { IPv4: '32', IPv6: '128' };

function prefixLength(cidr: string): string {
  return cidr.slice(cidr.indexOf('/') + 1);
}
