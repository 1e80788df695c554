/**
 * A client outside, two nodes and their pods, as network namespaces joined by veth pairs:
 *
 *   client 203.0.113.2 ── node1 192.0.2.1 ── node2 192.0.2.2
 *                         near idle-near       far idle-far
 *
 * `near`, `near-too` and `far` serve TCP, UDP and SCTP; the idle pods only ask. Everything seen from node1: near is local.
 */

import { execa } from 'execa';
import { type Family, familyOf } from './manifests.ts';
import { type Peer, startPeer } from './traffic/peer.ts';

export const nodeAddresses = {
  node1: { IPv4: '192.0.2.1', IPv6: '2001:db8:2::1' },
  node2: { IPv4: '192.0.2.2', IPv6: '2001:db8:2::2' },
} as const;

/** Towards the client, on node1. */
export const outsideAddress = { IPv4: '203.0.113.1', IPv6: '2001:db8:c::1' } as const;

export const clientAddress = { IPv4: '203.0.113.2', IPv6: '2001:db8:c::2' } as const;

export const pods = {
  near: { node: 'node1', IPv4: '10.1.1.10', IPv6: 'fd00:1:1::10' },
  'near-too': { node: 'node1', IPv4: '10.1.1.11', IPv6: 'fd00:1:1::11' },
  'idle-near': { node: 'node1', IPv4: '10.1.1.20', IPv6: 'fd00:1:1::20' },
  far: { node: 'node2', IPv4: '10.1.2.10', IPv6: 'fd00:1:2::10' },
  'idle-far': { node: 'node2', IPv4: '10.1.2.20', IPv6: 'fd00:1:2::20' },
} as const;

export type PodName = keyof typeof pods;
export type NodeName = keyof typeof nodeAddresses;
export type PlaceName = PodName | NodeName | 'client';

export const podRanges = '10.1.0.0/16,fd00:1::/32';

/** The port on which pods serve. */
export const podPort = 8080;

export const serverPods: readonly PodName[] = ['near', 'near-too', 'far'];

export interface World {
  readonly peer: Peer;
  readonly remove: () => Promise<void>;
}

export const podNames = Object.keys(pods).filter((name): name is PodName => name in pods);
export const nodeNames: readonly NodeName[] = ['node1', 'node2'];

export async function makeWorld(): Promise<World> {
  const namespaces = ['client', ...nodeNames, ...podNames];
  await ip([], [...namespaces.map((name) => `netns add ${name}`), ...links()]);
  await ip(['-n', 'client'], clientCommands());
  for (const node of nodeNames) {
    await inside(node, 'sysctl', '-qw', ...nodeSysctls);
    await ip(['-n', node], nodeCommands(node));
  }
  for (const pod of podNames) {
    await ip(['-n', pod], podCommands(pod));
  }
  const peer = startPeer();
  for (const pod of serverPods) {
    await peer.serve({ namespace: pod, name: pod, port: podPort, protocols: ['TCP', 'UDP', 'SCTP'] });
  }
  return {
    peer,
    remove: async () => {
      await peer.stop();
      await ip(
        [],
        namespaces.map((name) => `netns delete ${name}`),
      );
    },
  };
}

/** Runs a command in a namespace and returns what it printed. Not `ip netns exec`, which mounts /sys anew. */
export async function inside(place: PlaceName, file: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execa('nsenter', [`--net=/run/netns/${place}`, file, ...args]);
  return stdout;
}

/** Whose pod has the address. */
export function podOf(address: string): PodName | undefined {
  return podNames.find((name) => pods[name].IPv4 === address || pods[name].IPv6 === address);
}

/** Every address of a node, of one family. */
export function addressesOf(node: NodeName, family: Family): readonly string[] {
  const own = [nodeAddresses[node][family], gatewayOf(node)[family]];
  return node === 'node1' ? [...own, outsideAddress[family]] : own;
}

/** Whether the address belongs to the namespace. */
export function isAddressOf(place: PlaceName, address: string): boolean {
  if (place === 'client') {
    return Object.values<string>(clientAddress).includes(address);
  }
  if (place === 'node1' || place === 'node2') {
    return addressesOf(place, familyOf(address)).includes(address);
  }
  return podOf(address) === place;
}

/** The node's address towards its pods, the same on every veth. */
export function gatewayOf(node: NodeName): { readonly IPv4: string; readonly IPv6: string } {
  return node === 'node1' ? { IPv4: '10.1.1.1', IPv6: 'fd00:1:1::1' } : { IPv4: '10.1.2.1', IPv6: 'fd00:1:2::1' };
}

/** What a network plugin sees to; and refusals are not to be rationed, since the scenarios ask for many at once. */
const nodeSysctls = [
  'net.ipv4.ip_forward=1',
  'net.ipv6.conf.all.forwarding=1',
  'net.ipv4.icmp_ratelimit=0',
  'net.ipv6.icmp.ratelimit=0',
];

function links(): readonly string[] {
  return [
    'link add eth0 netns client type veth peer name outside netns node1',
    'link add eth0 netns node1 type veth peer name eth0 netns node2',
    ...podNames.map((pod) => `link add eth0 netns ${pod} type veth peer name ${pod} netns ${pods[pod].node}`),
  ];
}

// `nodad` throughout: an address is there at once, without the second in which IPv6 looks for another who has it.

function clientCommands(): readonly string[] {
  return [
    'link set lo up',
    'link set eth0 up',
    `addr add ${clientAddress.IPv4}/24 dev eth0`,
    `addr add ${clientAddress.IPv6}/64 dev eth0 nodad`,
    `route add default via ${outsideAddress.IPv4}`,
    `route add default via ${outsideAddress.IPv6}`,
  ];
}

function nodeCommands(node: NodeName): readonly string[] {
  const other = node === 'node1' ? 'node2' : 'node1';
  const { IPv4, IPv6 } = nodeAddresses[node];
  const outside = [
    'link set outside up',
    `addr add ${outsideAddress.IPv4}/24 dev outside`,
    `addr add ${outsideAddress.IPv6}/64 dev outside nodad`,
  ];
  const towardsOther = [`via ${nodeAddresses[other].IPv4}`, `via ${nodeAddresses[other].IPv6}`] as const;
  return [
    'link set lo up',
    'link set eth0 up',
    `addr add ${IPv4}/24 dev eth0`,
    `addr add ${IPv6}/64 dev eth0 nodad`,
    ...(node === 'node1' ? outside : towardsOther.map((via) => `route add default ${via}`)),
    `route add ${podRangeOf(other).IPv4} ${towardsOther[0]}`,
    `route add ${podRangeOf(other).IPv6} ${towardsOther[1]}`,
    ...podNames.filter((pod) => pods[pod].node === node).flatMap((pod) => podOnNode(pod)),
  ];
}

function podRangeOf(node: NodeName): { readonly IPv4: string; readonly IPv6: string } {
  return node === 'node1'
    ? { IPv4: '10.1.1.0/24', IPv6: 'fd00:1:1::/64' }
    : { IPv4: '10.1.2.0/24', IPv6: 'fd00:1:2::/64' };
}

function podOnNode(pod: PodName): readonly string[] {
  const gateway = gatewayOf(pods[pod].node);
  return [
    `link set ${pod} up`,
    `addr add ${gateway.IPv4}/32 dev ${pod}`,
    `addr add ${gateway.IPv6}/128 dev ${pod} nodad`,
    `route add ${pods[pod].IPv4}/32 dev ${pod}`,
    `route add ${pods[pod].IPv6}/128 dev ${pod}`,
  ];
}

function podCommands(pod: PodName): readonly string[] {
  const gateway = gatewayOf(pods[pod].node);
  return [
    'link set lo up',
    'link set eth0 up',
    `addr add ${pods[pod].IPv4}/32 dev eth0`,
    `addr add ${pods[pod].IPv6}/128 dev eth0 nodad`,
    `route add ${gateway.IPv4}/32 dev eth0`,
    `route add ${gateway.IPv6}/128 dev eth0`,
    `route add default via ${gateway.IPv4}`,
    `route add default via ${gateway.IPv6}`,
  ];
}

/** All commands in one process: starting one for each would take most of the time. */
async function ip(options: readonly string[], commands: readonly string[]): Promise<void> {
  await execa('ip', [...options, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}
