/** The address families of a world. */
export type Family = 'IPv4' | 'IPv6';

/** The protocols that responders speak. */
export type Protocol = 'TCP' | 'UDP' | 'SCTP';

/** Something with a network namespace of its own and addresses in it. */
export interface Place {
  /** Also the name of its network namespace. */
  readonly name: string;
  /** Its addresses, the one others use first. */
  readonly addresses: Readonly<Record<Family, readonly string[]>>;
}

/** A machine of the cluster. The agent under test runs in its namespace. */
export interface WorldNode extends Place {
  readonly kind: 'node';
  readonly podCIDR: Readonly<Record<Family, string>>;
  /** The node's address on the wire of each of its pods: what they see when the node itself calls them. */
  readonly podGateway: Readonly<Record<Family, string>>;
}

/** A pod: answers TCP, UDP and SCTP at `podPort` with its name. */
export interface WorldPod extends Place {
  readonly kind: 'pod';
  readonly node: string;
}

/** Something outside the cluster; sends everything that is not on its link to its gateway, a node. */
export interface WorldClient extends Place {
  readonly kind: 'client';
  readonly gateway: string;
}

/** Where each pod answers. */
export const podPort = 8080;

/** What covers all pods of every world. */
export const clusterCIDRs = { IPv4: '10.0.0.0/12', IPv6: 'fd10::/16' } as const;

/** The same, as `--cluster-cidr` takes it. */
export const clusterRanges = `${clusterCIDRs.IPv4},${clusterCIDRs.IPv6}`;

/** The root namespace's addresses on the link of the nodes: an API server listens here. */
export const rootAddresses = { IPv4: '192.0.2.1', IPv6: 'fd02::1' } as const;

/** The ranges of the link that nodes and clients share. */
export const linkRanges = {
  nodes: { IPv4: '192.0.2.0/24', IPv6: 'fd02::/64' },
  clients: { IPv4: '203.0.113.0/24', IPv6: 'fd03::/64' },
} as const;

/** The `number`th node, from 1 to 9: 192.0.2.10, fd02::10; a second address is 192.0.2.11. */
export function placeNode(name: string, number: number, addressCount: number): WorldNode {
  const suffixes = Array.from({ length: addressCount }, (_, index) => number * 10 + index);
  return {
    kind: 'node',
    name,
    addresses: {
      IPv4: suffixes.map((suffix) => `192.0.2.${suffix}`),
      IPv6: suffixes.map((suffix) => `fd02::${suffix}`),
    },
    podCIDR: { IPv4: `10.${number}.0.0/24`, IPv6: `fd10:${number}::/64` },
    podGateway: { IPv4: `10.${number}.0.1`, IPv6: `fd10:${number}::1` },
  };
}

/** The `number`th pod of the `nodeNumber`th node: 10.1.0.2, fd10:1::2. */
export function placePod(name: string, node: string, nodeNumber: number, number: number): WorldPod {
  const suffix = number + 1;
  return {
    kind: 'pod',
    name,
    node,
    addresses: { IPv4: [`10.${nodeNumber}.0.${suffix}`], IPv6: [`fd10:${nodeNumber}::${suffix.toString(16)}`] },
  };
}

/** The `number`th client: 203.0.113.2, fd03::2. */
export function placeClient(name: string, gateway: string, number: number): WorldClient {
  const suffix = number + 1;
  return {
    kind: 'client',
    name,
    gateway,
    addresses: { IPv4: [`203.0.113.${suffix}`], IPv6: [`fd03::${suffix.toString(16)}`] },
  };
}
