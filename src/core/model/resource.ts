import type { Family, Protocol } from './facts.ts';
import type { FilterElement } from './filter-element.ts';
import type { HealthCheck } from './health-check.ts';
import type { Encapsulation } from './pod-tunnel.ts';
import type { Refusal } from './reason.ts';
import type { Vip } from './vip.ts';
import type { Destinations, Scheduler, VirtualServer } from './virtual-server.ts';

/** A virtual server as it should be. */
export interface DesiredVirtualServer {
  readonly server: VirtualServer;
  readonly destinations: Destinations;
  /** A fwmark does not tell it. */
  readonly protocol: Protocol;
  /** `namespace/name`. */
  readonly service: string;
  /** `namespace/name:port`, for people. */
  readonly origin: string;
}

/**
 * One thing the node should hold. A health check is a server of ours, a pod tunnel is in the pod, all else is in the kernel. Keys are unique over all kinds; several frontends may ask for the same resource
 * (a VIP with three ports), which then stands until the last one lets go.
 */
export type Resource =
  | { readonly kind: 'virtual-server'; readonly key: string; readonly value: DesiredVirtualServer }
  | { readonly kind: 'vip'; readonly key: string; readonly value: Vip }
  | { readonly kind: 'element'; readonly key: string; readonly value: FilterElement }
  | { readonly kind: 'health-check'; readonly key: string; readonly value: HealthCheck }
  | { readonly kind: 'pod-tunnel'; readonly key: string; readonly value: WantedPodTunnel };

/** One VIP that a pod of this node should answer for, on behalf of one Service. */
export interface WantedPodTunnel {
  /** The pod's own, of the VIP's family. */
  readonly address: string;
  /** `namespace/name`. */
  readonly pod: string;
  readonly vip: string;
  readonly encapsulation: Encapsulation;
  /** `namespace/name`. */
  readonly service: string;
}

/** An address, protocol and port, or a health check's port, that a Service claims, with all that the claim needs. */
export interface Frontend {
  /** `TCP 10.96.0.1:80`, `health-check 30100`. */
  readonly key: string;
  readonly resources: readonly Resource[];
}

/** What one Service adds to the node. */
export interface Contribution {
  /** `namespace/name`. */
  readonly service: string;
  readonly createdAt: number;
  readonly scheduler: Scheduler;
  readonly frontends: readonly Frontend[];
  readonly refusals: readonly Refusal[];
  readonly localGaps: readonly LocalGap[];
}

export const localGapPolicies = ['internal', 'external'] as const;

/** A Local policy of a Service that has endpoints, but none on this node for one of its ports. */
export interface LocalGap {
  readonly policy: (typeof localGapPolicies)[number];
  readonly family: Family;
}
