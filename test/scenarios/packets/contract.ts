/**
 * What the Service API promises to every packet, written down by hand from the behaviour of kube-proxy's iptables and
 * nftables backends (TestInternalExternalMasquerade in pkg/proxy/nftables/proxier_test.go, CategorizeEndpoints in
 * pkg/proxy/topology.go). Data and look-ups only: nothing here may follow from sluice's own code.
 */

import type { EndpointInput, TrafficPolicy } from '../manifests.ts';

/** The pods behind Services: `near` is on node1, `far` on node2. */
export type EndpointPod = 'near' | 'far';

/** Who sends, as the node sees it that handles the packet. */
export type Sender = 'pod' | 'node' | 'external';

/** Node ports, external IPs and load-balancer IPs are told apart nowhere here. */
type Exposure = 'ClusterIP' | 'others';

/** `all`: the endpoints of the cluster. `local`: those on the handling node. */
type Reach = 'all' | 'local';

/** Whose address the endpoint sees. */
export type Seen = 'sees the client' | 'sees the node';

/** The policy is the internal one for a ClusterIP, the external one for the others. */
type Promise = readonly [from: Sender, to: Exposure, policy: TrafficPolicy, reach: Reach, seen: Seen];

/** With a way to tell pods from others. */
export const withDetector: readonly Promise[] = [
  ['pod', 'ClusterIP', 'Cluster', 'all', 'sees the client'],
  ['pod', 'ClusterIP', 'Local', 'local', 'sees the client'],
  ['node', 'ClusterIP', 'Cluster', 'all', 'sees the node'],
  ['node', 'ClusterIP', 'Local', 'local', 'sees the node'],
  ['external', 'ClusterIP', 'Cluster', 'all', 'sees the node'],
  ['external', 'ClusterIP', 'Local', 'local', 'sees the node'],
  ['pod', 'others', 'Cluster', 'all', 'sees the node'],
  ['pod', 'others', 'Local', 'all', 'sees the client'],
  ['node', 'others', 'Cluster', 'all', 'sees the node'],
  ['node', 'others', 'Local', 'all', 'sees the node'],
  ['external', 'others', 'Cluster', 'all', 'sees the node'],
  ['external', 'others', 'Local', 'local', 'sees the client'],
];

/**
 * Without one, nobody is masqueraded to a ClusterIP and a pod is like a client outside. A process on the node has the
 * node's address in any case.
 */
export const withoutDetector: readonly Promise[] = [
  ['pod', 'ClusterIP', 'Cluster', 'all', 'sees the client'],
  ['pod', 'ClusterIP', 'Local', 'local', 'sees the client'],
  ['node', 'ClusterIP', 'Cluster', 'all', 'sees the node'],
  ['node', 'ClusterIP', 'Local', 'local', 'sees the node'],
  ['external', 'ClusterIP', 'Cluster', 'all', 'sees the client'],
  ['external', 'ClusterIP', 'Local', 'local', 'sees the client'],
  ['pod', 'others', 'Cluster', 'all', 'sees the node'],
  ['pod', 'others', 'Local', 'local', 'sees the client'],
  ['node', 'others', 'Cluster', 'all', 'sees the node'],
  ['node', 'others', 'Local', 'all', 'sees the node'],
  ['external', 'others', 'Cluster', 'all', 'sees the node'],
  ['external', 'others', 'Local', 'local', 'sees the client'],
];

/** With masquerade of all traffic to ClusterIPs. The rest is as with a detector. */
export const masqueradingAll: readonly Promise[] = [
  ['pod', 'ClusterIP', 'Cluster', 'all', 'sees the node'],
  ['pod', 'ClusterIP', 'Local', 'local', 'sees the node'],
  ...withDetector.slice(2),
];

/** What endpoints a Service has, and which of them serve: in the whole cluster, and on each node under policy Local. */
export interface Endpoints {
  readonly conditions: Readonly<Partial<Record<EndpointPod, NonNullable<EndpointInput['condition']>>>>;
  readonly all: readonly EndpointPod[];
  readonly node1: readonly EndpointPod[];
  readonly node2: readonly EndpointPod[];
}

export const endpoints = {
  'one on each node': {
    conditions: { near: 'ready', far: 'ready' },
    all: ['near', 'far'],
    node1: ['near'],
    node2: ['far'],
  },
  'one on node1': { conditions: { near: 'ready' }, all: ['near'], node1: ['near'], node2: [] },
  'one on node2': { conditions: { far: 'ready' }, all: ['far'], node1: [], node2: ['far'] },
  none: { conditions: {}, all: [], node1: [], node2: [] },
  'terminating ones on both nodes': {
    conditions: { near: 'terminating', far: 'terminating' },
    all: ['near', 'far'],
    node1: ['near'],
    node2: ['far'],
  },
  'a terminating one on node1, a ready one on node2': {
    conditions: { near: 'terminating', far: 'ready' },
    all: ['far'],
    node1: ['near'],
    node2: ['far'],
  },
  'gone ones on both nodes': {
    conditions: { near: 'gone', far: 'gone' },
    all: [],
    node1: [],
    node2: [],
  },
} as const satisfies Readonly<Record<string, Endpoints>>;

export type EndpointsName = keyof typeof endpoints;

/** Everybody, or the senders of one family that the ranges let in. */
export type Allowed = 'everybody' | readonly string[];

/**
 * loadBalancerSourceRanges, and whom they let in on a load-balancer IP, pods and nodes included. A node goes by the
 * address that it has there. A range of prefix length 0 opens the family, and so does the lack of any range of it.
 */
export const sourceRanges = {
  'the client': {
    ranges: ['203.0.113.2/32', 'fd03::2/128'],
    IPv4: ['a client outside'],
    IPv6: ['a client outside'],
  },
  'the pods of node2, twice': {
    ranges: ['10.2.0.0/24', '10.2.0.0/16', 'fd10:2::/64', 'fd10:2::3/128'],
    IPv4: ['a pod on node2'],
    IPv6: ['a pod on node2'],
  },
  node1: {
    ranges: ['192.0.2.10/32', 'fd02::10/128'],
    IPv4: ['a process on node1'],
    IPv6: ['a process on node1'],
  },
  'nobody here': { ranges: ['198.19.0.0/16', '2001:db8:99::/48'], IPv4: [], IPv6: [] },
  'the client, for IPv4 alone': { ranges: ['203.0.113.0/24'], IPv4: ['a client outside'], IPv6: 'everybody' },
  'the client and everybody': {
    ranges: ['203.0.113.2/32', '0.0.0.0/0', 'fd03::2/128', '::/0'],
    IPv4: 'everybody',
    IPv6: 'everybody',
  },
  'the client, between spaces and beside nonsense': {
    ranges: [' 203.0.113.2/32 ', 'nonsense', '\tfd03::2/128'],
    IPv4: ['a client outside'],
    IPv6: ['a client outside'],
  },
} as const satisfies Readonly<
  Record<string, { readonly ranges: readonly string[]; readonly IPv4: Allowed; readonly IPv6: Allowed }>
>;

export type SourceRangesName = keyof typeof sourceRanges;

/** Who may answer and what each of them sees; or that new connections are refused, or get no answer. */
export type Outcome = Readonly<Partial<Record<EndpointPod, Seen>>> | 'REJECT' | 'DROP';

export interface Question {
  readonly sender: Sender;
  /** The pod that asks, when it is an endpoint itself. */
  readonly self?: EndpointPod | undefined;
  readonly exposure: Exposure;
  readonly policy: TrafficPolicy;
  readonly endpoints: EndpointsName;
  readonly handledBy: 'node1' | 'node2';
}

/** What is promised. Throws when the table has no row for it. */
export function promised(table: readonly Promise[], question: Question): Outcome {
  const { sender, self, exposure, policy, handledBy } = question;
  const row = table.find(([from, to, under]) => from === sender && to === exposure && under === policy);
  if (row === undefined) {
    throw new Error(`the table says nothing about ${sender} to ${exposure} under policy ${policy}`);
  }
  const [, , , reach, seen] = row;
  const { all, ...local } = endpoints[question.endpoints];
  const serving: readonly EndpointPod[] = reach === 'all' ? all : local[handledBy];
  if (serving.length > 0) {
    // A pod that reaches itself must see another source, whatever the policies say.
    return Object.fromEntries(serving.map((pod) => [pod, pod === self ? 'sees the node' : seen]));
  }
  const existsElsewhere = all.length > 0 || local.node1.length > 0 || local.node2.length > 0;
  return existsElsewhere ? 'DROP' : 'REJECT';
}
