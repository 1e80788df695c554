/** Why a part of an object is not programmed as written. Closed: the CLI, logs, metrics and Events show these words. */
export type Reason =
  // the object itself
  | 'object-malformed'
  | 'address-invalid'
  | 'address-wrong-family'
  | 'address-forbidden'
  | 'address-excluded'
  | 'address-of-a-node'
  /** A load-balancer IP or ClusterIP that another Node has: bound here it would cut that Node off. */
  | 'address-of-another-node'
  | 'address-of-the-api-server'
  | 'address-in-service-range'
  | 'address-in-pod-range'
  | 'address-not-in-allowed-range'
  | 'address-not-in-allowed-range-audited'
  | 'port-invalid'
  | 'protocol-unknown'
  | 'endpoint-address-forbidden'
  | 'too-many-endpoints'
  | 'affinity-timeout-invalid'
  | 'source-range-invalid'
  // annotations
  | 'scheduler-unknown'
  | 'scheduler-not-in-kernel'
  | 'scheduler-flag-unknown'
  | 'weight-invalid'
  | 'annotation-unknown'
  | 'annotation-value-invalid'
  | 'annotation-conflict'
  | 'direct-return-off'
  | 'direct-return-port-differs'
  | 'direct-return-host-network'
  // the world around it
  | 'frontend-claimed-by-older-service'
  | 'no-node-address'
  | 'fwmarks-exhausted'
  | 'container-runtime-unset'
  | 'container-runtime-unavailable'
  | 'pod-sandbox-missing'
  | 'pod-address-differs'
  | 'pod-namespace-missing'
  | 'pod-tunnel-refused'
  | 'health-check-port-missing'
  | 'health-check-port-reserved'
  | 'health-check-port-unavailable'
  // the kernel
  | 'kernel-refused';

/** Reasons of parts that are programmed all the same: they are reported, so that stricter rules surprise nobody. */
const auditedReasons: readonly Reason[] = ['address-not-in-allowed-range-audited'];

export function isAudited(reason: Reason): boolean {
  return auditedReasons.includes(reason);
}

/** One refusal: `subject` names the part (`externalIPs[1]`, `port http`), `found` what stood there. */
export interface Refusal {
  readonly reason: Reason;
  readonly subject: string;
  readonly found: string;
  readonly expected: string;
}
