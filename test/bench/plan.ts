import type { ActsPlan } from './inside/acts.ts';
import type { Size } from './result.ts';

/** Which measures, in which sizes. Travels into the lab as one JSON argument. */
export interface Plan {
  readonly cold: readonly Size[];
  readonly restart: readonly Size[];
  readonly change: readonly Size[];
  readonly memory: readonly Size[];
  /** More Services than a cluster usually has: cold start and restart, of the shipped agent too. */
  readonly large: LargePlan;
  /** The shipped agent through all acts; with the plan of these. */
  readonly pauses: readonly Size[];
  readonly acts: ActsPlan;
  /** What clients notice of the acts. */
  readonly traffic: readonly Size[];
  readonly trafficActs: ActsPlan;
  readonly filter: readonly Size[];
  /** Numbers of UDP flows. */
  readonly udp: readonly number[];
  /** Measured side by side. */
  readonly latency: readonly Size[];
  readonly directReturn: DirectReturnPlan;
  readonly peers: PeersPlan;
  /** Repetitions of everything that starts a process. */
  readonly rounds: number;
  /** Changes per protocol and size. */
  readonly changes: number;
  /** New connections per size. */
  readonly connections: number;
}

export interface LargePlan {
  readonly sizes: readonly Size[];
  /** Each takes minutes: at most so many. */
  readonly rounds: number;
}

/** The same endpoint with and without direct server return. */
export interface DirectReturnPlan {
  /** Of a download; 0: nothing is measured. */
  readonly megabytes: number;
  readonly rounds: number;
  /** New connections to either. */
  readonly connections: number;
}

/** Other proxies beside sluice, against a real API server. */
export interface PeersPlan {
  /** All of one family. */
  readonly sizes: readonly Size[];
  /** Endpoint changes for each proxy and size, an even number; Services added and removed again. */
  readonly changes: number;
  readonly services: number;
  /** At the largest size; 0: idling is not measured. */
  readonly idleSeconds: number;
  /** A proxy that has not programmed everything by then is given up. */
  readonly startLimitMs: number;
  readonly changeLimitMs: number;
  /** After so long no more changes are begun. */
  readonly changesLimitMs: number;
  /** After so long no other proxy is begun with. */
  readonly totalLimitMs: number;
}
