/**
 * The Services of the traffic scenarios: every traffic policy with every placement of endpoints, in both families, over
 * all protocols, by every kind of frontend; and what the API promises for each.
 *
 * The promises are those of kube-proxy's iptables and nftables backends (TestInternalExternalMasquerade in
 * pkg/proxy/nftables/proxier_test.go) with a local detector.
 */

import {
  endpointSlice,
  type Family,
  type Manifest,
  nodeObject,
  type Protocol,
  type ServiceInput,
  service,
} from './manifests.ts';
import { addressesOf, type NodeName, nodeAddresses, nodeNames, type PodName, podPort, pods } from './world.ts';

export const families: readonly Family[] = ['IPv4', 'IPv6'];
export const protocols: readonly Protocol[] = ['TCP', 'UDP', 'SCTP'];

export const policies = {
  'Cluster everywhere': {},
  'external Local': { externalTrafficPolicy: 'Local' },
  'internal Local': { internalTrafficPolicy: 'Local' },
} as const satisfies Readonly<Record<string, Partial<ServiceInput>>>;

export type PolicyName = keyof typeof policies;

export const placements = {
  'endpoints on both nodes': ['near', 'far'],
  'an endpoint on node1': ['near'],
  'an endpoint on node2': ['far'],
  'no endpoint': [],
} as const satisfies Readonly<Record<string, readonly PodName[]>>;

export type PlacementName = keyof typeof placements;

export const frontendKinds = ['ClusterIP', 'node port', 'external IP', 'load-balancer IP'] as const;
export type FrontendKind = (typeof frontendKinds)[number];

/** Who asks, and on which node its packets meet IPVS. */
export const sources = {
  'a client outside': { place: 'client', node: 'node1', kind: 'outside' },
  'a pod on node1': { place: 'idle-near', node: 'node1', kind: 'pod' },
  'a pod on node2': { place: 'idle-far', node: 'node2', kind: 'pod' },
  'a process on node1': { place: 'node1', node: 'node1', kind: 'node' },
} as const;

export type SourceName = keyof typeof sources;
type SourceKind = (typeof sources)[SourceName]['kind'];

export interface Case {
  readonly policy: PolicyName;
  readonly placement: PlacementName;
}

export const cases: readonly Case[] = keysOf(policies).flatMap((policy) =>
  keysOf(placements).map((placement) => ({ policy, placement })),
);

export const servicePort = 80;

/** The addresses and port of a Service's frontend; a node port has several addresses. */
export function placesOf(one: Case, frontend: FrontendKind, node: NodeName, family: Family): readonly Place[] {
  const number = numberOf(one);
  if (frontend === 'node port') {
    return addressesOf(node, family).map((address) => ({ address, port: 30_000 + number }));
  }
  return [{ address: vipOf(frontend, number, family), port: servicePort }];
}

export interface Place {
  readonly address: string;
  readonly port: number;
}

/** What a source sees: the pods that may answer and whether they see its own address; or why none does. */
export type Expectation = { readonly pods: readonly PodName[]; readonly masqueraded: boolean } | 'refused' | 'dropped';

export function expectationOf(one: Case, frontend: FrontendKind, source: SourceName): Expectation {
  const { kind, node } = sources[source];
  const { view, masqueraded } = promised[frontend === 'ClusterIP' ? 'ClusterIP' : 'others'][one.policy][kind];
  const all: readonly PodName[] = placements[one.placement];
  const answering = view === 'all' ? all : all.filter((pod) => pods[pod].node === node);
  if (answering.length > 0) {
    return { pods: answering, masqueraded };
  }
  return all.length === 0 ? 'refused' : 'dropped';
}

interface View {
  readonly view: 'all' | 'local';
  readonly masqueraded: boolean;
}

const all: View = { view: 'all', masqueraded: false };
const allMasqueraded: View = { view: 'all', masqueraded: true };
const local: View = { view: 'local', masqueraded: false };
const localMasqueraded: View = { view: 'local', masqueraded: true };

const promised: Readonly<
  Record<'ClusterIP' | 'others', Readonly<Record<PolicyName, Readonly<Record<SourceKind, View>>>>>
> = {
  ClusterIP: {
    'Cluster everywhere': { pod: all, node: allMasqueraded, outside: allMasqueraded },
    'external Local': { pod: all, node: allMasqueraded, outside: allMasqueraded },
    'internal Local': { pod: local, node: localMasqueraded, outside: localMasqueraded },
  },
  others: {
    'Cluster everywhere': { pod: allMasqueraded, node: allMasqueraded, outside: allMasqueraded },
    'external Local': { pod: all, node: allMasqueraded, outside: local },
    'internal Local': { pod: allMasqueraded, node: allMasqueraded, outside: allMasqueraded },
  },
};

/** The Nodes, and the Services of these cases with their endpoints. */
export function matrixManifests(which: readonly Case[] = cases): readonly Manifest[] {
  const nodes = nodeNames.map((name) => nodeObject(name, Object.values(nodeAddresses[name])));
  return [...nodes, ...which.flatMap(manifestsOf)];
}

function manifestsOf(one: Case): readonly Manifest[] {
  const number = numberOf(one);
  const name = `case-${number}`;
  const vips = (frontend: Exclude<FrontendKind, 'node port'>): readonly string[] =>
    families.map((family) => vipOf(frontend, number, family));
  const ports = protocols.map((protocol) => ({ name: protocol.toLowerCase(), protocol }));
  const slices = families.map((family) =>
    endpointSlice({
      service: name,
      family,
      ports: ports.map((port) => ({ ...port, port: podPort })),
      endpoints: placements[one.placement].map((pod) => ({ address: pods[pod][family], nodeName: pods[pod].node })),
    }),
  );
  return [
    service({
      name,
      clusterIPs: vips('ClusterIP'),
      externalIPs: vips('external IP'),
      loadBalancerIPs: vips('load-balancer IP'),
      ports: ports.map((port) => ({ ...port, port: servicePort, nodePort: 30_000 + number })),
      ...policies[one.policy],
    }),
    ...slices,
  ];
}

function numberOf(one: Case): number {
  return 1 + cases.findIndex(({ policy, placement }) => policy === one.policy && placement === one.placement);
}

function vipOf(frontend: Exclude<FrontendKind, 'node port'>, number: number, family: Family): string {
  const ranges = {
    ClusterIP: { IPv4: '10.96.0.', IPv6: 'fd00:96::' },
    'external IP': { IPv4: '198.51.100.', IPv6: '2001:db8:e::' },
    'load-balancer IP': { IPv4: '198.18.0.', IPv6: '2001:db8:f::' },
  };
  return `${ranges[frontend][family]}${number}`;
}

export function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): readonly Key[] {
  // Object.keys widens; the records here are literals.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.keys(record) as Key[];
}
