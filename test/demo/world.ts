import { execa } from 'execa';
import { type Peer, startPeer } from './traffic/start-peer.ts';

/**
 * The world of the demo: network namespaces, joined by veth pairs. A client outside behind node1, a second node, pods.
 *
 *   client 203.0.113.2 ── node1 192.0.2.1 ── node2 192.0.2.2
 *                         web-0 web-1 dns-0 toolbox   web-2 dns-1
 */
export interface World {
  /** Every peer by the name of its namespace: the pods, the client, and node1 itself. */
  readonly peer: (name: PeerName) => Peer;
  /** Ends the peers and removes the namespaces. */
  readonly remove: () => Promise<void>;
}

const podAddresses = {
  'web-0': { node: 'node1', IPv4: '10.1.1.10', IPv6: 'fd00:1:1::10' },
  'web-1': { node: 'node1', IPv4: '10.1.1.11', IPv6: 'fd00:1:1::11' },
  'web-2': { node: 'node2', IPv4: '10.1.2.10', IPv6: 'fd00:1:2::10' },
  'dns-0': { node: 'node1', IPv4: '10.1.1.20', IPv6: 'fd00:1:1::20' },
  'dns-1': { node: 'node2', IPv4: '10.1.2.20', IPv6: 'fd00:1:2::20' },
  // A client in the cluster, which is behind no Service.
  toolbox: { node: 'node1', IPv4: '10.1.1.30', IPv6: 'fd00:1:1::30' },
} as const;

export type PodName = keyof typeof podAddresses;
export type PeerName = PodName | 'client' | 'node1';
export type NodeName = 'node1' | 'node2';

export const pods = Object.keys(podAddresses).filter((name): name is PodName => name in podAddresses);
export const nodes = ['node1', 'node2'] as const;

/** Whose address it is, for people. */
export const addresses = {
  node1: { IPv4: '192.0.2.1', IPv6: '2001:db8:2::1' },
  node2: { IPv4: '192.0.2.2', IPv6: '2001:db8:2::2' },
  toolbox: podAddresses.toolbox,
  client: { IPv4: '203.0.113.2', IPv6: '2001:db8:c::2' },
} as const;

/** More IPv4 addresses of the client, as of other clients behind the same network. */
export const moreClients = ['203.0.113.3', '203.0.113.4'] as const;

export const podRanges = '10.1.0.0/16,fd00:1::/32';

/** The command that runs another in a namespace. Not `ip netns exec`, which mounts /sys anew. */
export function inside(namespace: string, ...command: readonly string[]): readonly [string, ...string[]] {
  return ['nsenter', `--net=/run/netns/${namespace}`, ...command];
}

/** Makes the world. `peerProgram` is the bundled traffic/peer.ts. */
export async function makeWorld(peerProgram: string): Promise<World> {
  const namespaces = ['client', ...nodes, ...pods];
  await ip([], [...namespaces.map((name) => `netns add ${name}`), ...links()]);
  await ip(['-n', 'client'], clientSettings());
  for (const node of nodes) {
    await execa('nsenter', [`--net=/run/netns/${node}`, 'sysctl', '-qw', ...forwarding]);
    await ip(['-n', node], nodeSettings(node));
  }
  for (const pod of pods) {
    await ip(['-n', pod], podSettings(pod));
  }
  const names: readonly PeerName[] = [...pods, 'client', 'node1'];
  const started = await Promise.all(
    names.map(async (name) => [name, await startPeer(inside(name, process.execPath, peerProgram, name))] as const),
  );
  const peers = new Map<PeerName, Peer>(started);
  return {
    peer: (name) => {
      const peer = peers.get(name);
      if (peer === undefined) throw new Error(`no peer is called ${name}`);
      return peer;
    },
    remove: async () => {
      await Promise.all(started.map(([, peer]) => peer.stop()));
      await ip(
        [],
        namespaces.map((name) => `netns delete ${name}`),
      );
    },
  };
}

/** What a network plugin sees to on a node. */
const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];

function links(): readonly string[] {
  return [
    'link add eth0 netns node1 type veth peer name eth0 netns node2',
    'link add eth0 netns client type veth peer name outside netns node1',
    ...pods.map((pod) => `link add eth0 netns ${pod} type veth peer name ${pod} netns ${podAddresses[pod].node}`),
  ];
}

// `nodad` throughout: an address is there at once, without the second in which IPv6 looks for another who has it.

function clientSettings(): readonly string[] {
  const { IPv4, IPv6 } = addresses.client;
  return [
    'link set lo up',
    'link set eth0 up',
    ...[IPv4, ...moreClients].map((address) => `addr add ${address}/24 dev eth0`),
    `addr add ${IPv6}/64 dev eth0 nodad`,
    'route add default via 203.0.113.1',
    'route add default via 2001:db8:c::1',
  ];
}

function nodeSettings(node: NodeName): readonly string[] {
  const { IPv4, IPv6 } = addresses[node];
  const other = node === 'node1' ? 'node2' : 'node1';
  const outside = [
    'link set outside up',
    'addr add 203.0.113.1/24 dev outside',
    'addr add 2001:db8:c::1/64 dev outside nodad',
  ];
  return [
    'link set lo up',
    'link set eth0 up',
    `addr add ${IPv4}/24 dev eth0`,
    `addr add ${IPv6}/64 dev eth0 nodad`,
    ...(node === 'node1' ? outside : ['route add default via 192.0.2.1', 'route add default via 2001:db8:2::1']),
    `route add 10.1.${other.slice(-1)}.0/24 via ${addresses[other].IPv4}`,
    `route add fd00:1:${other.slice(-1)}::/64 via ${addresses[other].IPv6}`,
    ...pods.filter((pod) => podAddresses[pod].node === node).flatMap((pod) => podOnNode(pod)),
  ];
}

const linkLocalGateway = 'fe80::1';

/** As Calico does it: the node's side of the pair has no address but a link-local one. */
function podOnNode(pod: PodName): readonly string[] {
  const { node, IPv4, IPv6 } = podAddresses[pod];
  return [
    `link set ${pod} up`,
    `addr add ${linkLocalGateway}/64 dev ${pod} nodad`,
    `route add ${IPv4}/32 dev ${pod} src ${addresses[node].IPv4}`,
    `route add ${IPv6}/128 dev ${pod} src ${addresses[node].IPv6}`,
  ];
}

function podSettings(pod: PodName): readonly string[] {
  const { node, IPv4, IPv6 } = podAddresses[pod];
  const gateway = addresses[node].IPv4;
  return [
    'link set lo up',
    'link set eth0 up',
    `addr add ${IPv4}/32 dev eth0`,
    `addr add ${IPv6}/128 dev eth0 nodad`,
    `route add ${gateway}/32 dev eth0`,
    `route add default via ${gateway}`,
    `route add default via ${linkLocalGateway} dev eth0`,
  ];
}

/** All commands in one process: starting one for each would take most of the time. */
async function ip(options: readonly string[], commands: readonly string[]): Promise<void> {
  await execa('ip', [...options, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}
