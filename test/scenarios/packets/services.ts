/** The Services of the packet table: every pair of traffic policies with every kind of endpoints. */

import { type Family, type Protocol, placeNode, placePod, podPort } from '../../lab/world/places.ts';
import { keysOf } from '../../support/keys-of.ts';
import { endpointAt, endpointSlice, type Manifest, nodeObject, service, type TrafficPolicy } from '../manifests.ts';
import { type Endpoints, type EndpointsName, endpoints, type SourceRangesName, sourceRanges } from './contract.ts';

export const families: readonly Family[] = ['IPv4', 'IPv6'];
export const protocols: readonly Protocol[] = ['TCP', 'UDP', 'SCTP'];
const policies: readonly TrafficPolicy[] = ['Cluster', 'Local'];

export const servicePort = 80;

/** The nodes themselves have servers on it, on every address: no VIP may lead there. */
export const serverPort = 9999;

/** What the nodes know of ClusterIPs, and an address in it that no Service has. */
export const serviceRanges = { IPv4: '10.96.0.0/16', IPv6: 'fd00:96::/112' } as const;
export const unallocatedAddress: Readonly<Record<Family, string>> = { IPv4: '10.96.7.7', IPv6: 'fd00:96::7777' };

/** One Service, with a port for each protocol. */
export interface ServiceCase {
  readonly number: number;
  readonly internalPolicy: TrafficPolicy;
  readonly externalPolicy: TrafficPolicy;
  readonly endpoints: EndpointsName;
  /** Whether it has a ClusterIP and nothing else. */
  readonly isInternal: boolean;
  /** Who may come to its load-balancer IPs; undefined: everybody. */
  readonly sourceRanges?: SourceRangesName;
}

export const vipKinds = ['ClusterIP', 'external IP', 'load-balancer IP'] as const;
export type VipKind = (typeof vipKinds)[number];

export const serviceCases: readonly ServiceCase[] = [
  ...policies.flatMap((internalPolicy) =>
    policies.flatMap((externalPolicy) =>
      keysOf(endpoints).map((name) => ({ internalPolicy, externalPolicy, endpoints: name, isInternal: false })),
    ),
  ),
  ...policies.flatMap((internalPolicy) =>
    keysOf(endpoints).map((name) => ({
      internalPolicy,
      externalPolicy: 'Cluster' as const,
      endpoints: name,
      isInternal: true,
    })),
  ),
  ...policies.flatMap((externalPolicy) =>
    keysOf(sourceRanges).map((name) => ({
      internalPolicy: 'Cluster' as const,
      externalPolicy,
      endpoints: 'one on each node' as const,
      isInternal: false,
      sourceRanges: name,
    })),
  ),
].map((each, index) => ({ ...each, number: index + 1 }));

/** The address of a Service's VIP. */
export function vipOf({ number }: ServiceCase, kind: VipKind, family: Family): string {
  return `${vipRanges[kind][family]}${number}`;
}

export function nodePortOf({ number }: ServiceCase): number {
  return 30_000 + number;
}

/** The Nodes and these Services with their endpoints. */
export function packetManifests(which: readonly ServiceCase[] = serviceCases): readonly Manifest[] {
  return [...nodes.map(nodeManifest), ...which.flatMap(serviceManifests), refusedManifest()];
}

/** A Service that asks for an address of node2 on the port of node2's own server: no node may take it. */
function refusedManifest(): Manifest {
  return service({
    name: 'refused',
    clusterIPs: families.map((family) => (family === 'IPv4' ? '10.96.1.1' : 'fd00:96::1111')),
    externalIPs: families.flatMap((family) => nodes[1]?.addresses[family] ?? []),
    ports: protocols.map((protocol) => ({ name: protocol.toLowerCase(), protocol, port: serverPort })),
  });
}

/** The first addresses of a world's nodes, and its first pods, as `createWorld` places them. */
const nodes = [placeNode('node1', 1, 1), placeNode('node2', 2, 1)];
const endpointPods = { near: placePod('near', 'node1', 1, 1), far: placePod('far', 'node2', 2, 1) } as const;

function nodeManifest({ name, addresses, podCIDR }: (typeof nodes)[number]): Manifest {
  const node = nodeObject(name, [...addresses.IPv4, ...addresses.IPv6]);
  return { ...node, spec: { podCIDR: podCIDR.IPv4, podCIDRs: [podCIDR.IPv4, podCIDR.IPv6] } };
}

function serviceManifests(each: ServiceCase): readonly Manifest[] {
  const name = `case-${each.number}`;
  const vips = (kind: VipKind): readonly string[] => families.map((family) => vipOf(each, kind, family));
  const ports = protocols.map((protocol) => ({ name: protocol.toLowerCase(), protocol }));
  const nodePort = each.isInternal ? {} : { nodePort: nodePortOf(each) };
  const { conditions }: Endpoints = endpoints[each.endpoints];
  const slices = families.map((family) =>
    endpointSlice({
      service: name,
      family,
      ports: ports.map((port) => ({ ...port, port: podPort })),
      endpoints: keysOf(conditions).map((pod) => endpointAt(endpointPods[pod], family, conditions[pod] ?? 'ready')),
    }),
  );
  return [
    service({
      name,
      clusterIPs: vips('ClusterIP'),
      ...(each.isInternal ? {} : { externalIPs: vips('external IP'), loadBalancerIPs: vips('load-balancer IP') }),
      ports: ports.map((port) => ({ ...port, port: servicePort, ...nodePort })),
      loadBalancerSourceRanges: each.sourceRanges === undefined ? [] : sourceRanges[each.sourceRanges].ranges,
      internalTrafficPolicy: each.internalPolicy,
      externalTrafficPolicy: each.externalPolicy,
    }),
    ...slices,
  ];
}

const vipRanges: Readonly<Record<VipKind, Readonly<Record<Family, string>>>> = {
  ClusterIP: { IPv4: '10.96.0.', IPv6: 'fd00:96::' },
  'external IP': { IPv4: '198.51.100.', IPv6: '2001:db8:e::' },
  'load-balancer IP': { IPv4: '198.18.0.', IPv6: '2001:db8:f::' },
};
