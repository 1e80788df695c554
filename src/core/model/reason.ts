/** Why a part of an object is not programmed as written. Closed: the CLI, logs, metrics and Events show these words. */
export type Reason =
  // the object itself
  | 'object-malformed'
  | 'address-invalid'
  | 'address-wrong-family'
  | 'address-forbidden'
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
  // the world around it
  | 'frontend-claimed-by-older-service'
  | 'no-node-address'
  | 'fwmarks-exhausted'
  | 'health-check-port-missing'
  | 'health-check-port-reserved'
  | 'health-check-port-unavailable'
  // the kernel
  | 'kernel-refused';

/** One refusal: `subject` names the part (`externalIPs[1]`, `port http`), `found` what stood there. */
export interface Refusal {
  readonly reason: Reason;
  readonly subject: string;
  readonly found: string;
  readonly expected: string;
}
