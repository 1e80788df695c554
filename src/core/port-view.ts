/** A Service port as its frontends are made of it. */

import type { CIDR } from './address.ts';
import type { Scheduling } from './affinity.ts';
import type { Backend, Selection } from './endpoints.ts';
import type { Family, Protocol } from './model/facts.ts';
import type { Encapsulation } from './model/pod-tunnel.ts';

/** What all frontends of one Service port and family share. */
export interface PortView extends Scheduling {
  /** `namespace/name`. */
  readonly service: string;
  /** `namespace/name:port`. */
  readonly origin: string;
  readonly family: Family;
  readonly protocol: Protocol;
  readonly selection: Selection;
  /** Of the inside view, where there is one. */
  readonly inside: Scheduling;
  readonly internalLocal: boolean;
  readonly externalLocal: boolean;
  /** Who may come to the load-balancer IPs; undefined: everybody. */
  readonly allowedSources: readonly CIDR[] | undefined;
  /** How clients outside are served at VIPs; undefined: through this node both ways. */
  readonly directReturn: DirectReturn | undefined;
}

export interface Place {
  readonly address: string;
  readonly port: number;
}

export interface ExternalPlace extends Place {
  readonly isLoadBalancerIP: boolean;
}

/** How a Service port is served directly. */
export interface DirectReturn {
  readonly encapsulation: Encapsulation;
  /** Of the virtual server for clients outside. */
  readonly mark: number;
  /** Every endpoint on this node, ready or not: a pod is prepared before its first client comes. */
  readonly localBackends: readonly Backend[];
}
