/** What people are told of a refusal in an Event: what was expected, what stood where, and what to do. */

import type { Reason, Refusal } from './model/reason.ts';

/** One line. */
export function refusalNote({ reason, subject, found, expected }: Refusal): string {
  return `${subject}: expected ${expected}, found ${found}. ${advice[reason].next}.`;
}

/** The reason in the spelling of the API: `FrontendClaimedByOlderService`. */
export function eventReason(reason: Reason): string {
  return reason.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Whether a node says it for itself; otherwise all of them say the same. */
export function isOfThisNode(reason: Reason): boolean {
  return advice[reason].by === 'node';
}

interface Advice {
  readonly by: 'node' | 'cluster';
  /** An imperative sentence without its full stop. */
  readonly next: string;
}

const advice: Readonly<Record<Reason, Advice>> = {
  'object-malformed': { by: 'cluster', next: 'Correct the field; until then the last good version is in force' },
  'address-invalid': { by: 'cluster', next: 'Write an IPv4 or IPv6 address' },
  'address-wrong-family': { by: 'cluster', next: 'Take an address of the other family' },
  'address-forbidden': { by: 'cluster', next: 'Choose another address; this one is never a Service address' },
  'address-excluded': { by: 'cluster', next: 'Choose another address, or change --excluded-cidrs' },
  'address-of-a-node': { by: 'cluster', next: 'Choose an address that no Node has' },
  'address-of-another-node': {
    by: 'cluster',
    next: 'Leave it if the load balancer gives out addresses of Nodes, as ServiceLB of K3s does; else choose another one',
  },
  'address-of-the-api-server': { by: 'cluster', next: 'Choose another address; the API server is at this one' },
  'address-in-service-range': { by: 'cluster', next: 'Choose an address outside the ranges of ClusterIPs' },
  'address-in-pod-range': { by: 'cluster', next: 'Choose an address outside the ranges of pods' },
  'address-not-in-allowed-range': {
    by: 'cluster',
    next: 'Choose an address inside, or have the administrator extend the range',
  },
  'address-not-in-allowed-range-audited': {
    by: 'cluster',
    next: 'It is programmed for now; choose an address inside before --strict-external-ip-validation refuses it',
  },
  'port-invalid': { by: 'cluster', next: 'Write a port from 1 to 65535' },
  'protocol-unknown': { by: 'cluster', next: 'Write TCP, UDP or SCTP' },
  'endpoint-address-forbidden': { by: 'cluster', next: 'Correct the EndpointSlice; no pod has such an address' },
  'too-many-endpoints': { by: 'cluster', next: 'Spread the pods over several Services' },
  'affinity-timeout-invalid': { by: 'cluster', next: 'Write a timeout from 1 to 86400 seconds' },
  'source-range-invalid': { by: 'cluster', next: 'Correct the range; a range that cannot be read lets nobody in' },
  'scheduler-unknown': { by: 'cluster', next: 'Choose a scheduler of IPVS; the last valid one stays in force' },
  'scheduler-not-in-kernel': { by: 'node', next: 'Load its module on the node (modprobe ip_vs_NAME)' },
  'scheduler-flag-unknown': { by: 'cluster', next: 'Choose a flag of this scheduler' },
  'weight-invalid': { by: 'cluster', next: 'Write a whole number from 0 to 65535' },
  'annotation-unknown': { by: 'cluster', next: 'Correct the name of the annotation, or remove it' },
  'annotation-value-invalid': { by: 'cluster', next: 'Correct the value of the annotation, or remove it' },
  'annotation-conflict': { by: 'cluster', next: 'Remove one of the two annotations' },
  'direct-return-off': { by: 'node', next: 'Start sluice with --direct-return, or remove the annotation' },
  'direct-return-port-differs': { by: 'cluster', next: 'Give port and targetPort the same number' },
  'direct-return-host-network': { by: 'cluster', next: 'Run the pods without hostNetwork, or remove the annotation' },
  'frontend-claimed-by-older-service': {
    by: 'cluster',
    next: 'Give one of the two Services another address or port',
  },
  'no-node-address': { by: 'node', next: 'Give the node an address of this family' },
  'fwmarks-exhausted': { by: 'node', next: 'Widen --fwmark-mask, or use policy Local for fewer Services' },
  'container-runtime-unset': { by: 'node', next: 'Set --runtime-endpoint to the socket of the container runtime' },
  'container-runtime-unavailable': {
    by: 'node',
    next: 'Look at the container runtime of the node; it is asked again by itself',
  },
  'pod-sandbox-missing': {
    by: 'node',
    next: 'Wait for the pod; if it runs, check that --runtime-endpoint is its runtime',
  },
  'pod-address-differs': { by: 'node', next: 'Wait for the EndpointSlice to follow the pod' },
  'pod-namespace-missing': {
    by: 'node',
    next: 'Mount /run/netns of the host into the agent, see direct-server-return.md',
  },
  'pod-tunnel-refused': { by: 'node', next: 'See the log of sluice on the node; it is tried again by itself' },
  'health-check-port-missing': {
    by: 'cluster',
    next: 'Set spec.healthCheckNodePort, or set the type again and the API server gives one',
  },
  'health-check-port-reserved': {
    by: 'cluster',
    next: 'Choose another healthCheckNodePort, or another port for the agent',
  },
  'health-check-port-unavailable': { by: 'node', next: 'Find out with ss -ltnp who listens there' },
  'kernel-refused': { by: 'node', next: 'See the log of sluice on the node' },
};
