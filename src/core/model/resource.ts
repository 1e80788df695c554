import type { Protocol } from './facts.ts';
import type { FilterElement } from './filter-element.ts';
import type { Refusal } from './reason.ts';
import type { Vip } from './vip.ts';
import type { Destination, Scheduler, VirtualServer } from './virtual-server.ts';

/** A virtual server as it should be. Destinations by `destinationKey`. */
export interface DesiredVirtualServer {
  readonly server: VirtualServer;
  readonly destinations: ReadonlyMap<string, Destination>;
  /** A fwmark does not tell it. */
  readonly protocol: Protocol;
  /** `namespace/name`. */
  readonly service: string;
  /** `namespace/name:port`, for people. */
  readonly origin: string;
}

/**
 * One thing the kernel should hold. Keys are unique over all kinds; several frontends may ask for the same resource
 * (a VIP with three ports), which then stands until the last one lets go.
 */
export type Resource =
  | { readonly kind: 'virtual-server'; readonly key: string; readonly value: DesiredVirtualServer }
  | { readonly kind: 'vip'; readonly key: string; readonly value: Vip }
  | { readonly kind: 'element'; readonly key: string; readonly value: FilterElement };

/** An address, protocol and port that a Service claims, with all that the claim needs. */
export interface Frontend {
  /** `TCP 10.96.0.1:80`. */
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
}
