import type { Family } from './facts.ts';

/**
 * The HTTP server that a Service asks for with `healthCheckNodePort`. A load balancer outside the cluster asks it whether
 * this node has endpoints of the Service.
 */
export interface HealthCheck {
  readonly port: number;
  readonly namespace: string;
  readonly name: string;
  readonly listeners: readonly HealthCheckListener[];
}

/** One socket. `0.0.0.0` and `::` stand for every address of their own family. */
export interface HealthCheckListener {
  readonly address: string;
  readonly family: Family;
  /** Distinct addresses of endpoints of this family on this node that are ready. */
  readonly localEndpoints: number;
}
