/** What `trace` says: each thing that a packet met on its way, in order, and the end of it. */

import type { ForwardingMethod } from '../model/virtual-server.ts';
import type { Packet } from './packet.ts';
import type { Rule } from './rules.ts';

export interface Trace {
  readonly packet: Packet;
  readonly steps: readonly TraceStep[];
  readonly verdict: Verdict;
}

/** Who sent the packet, as the rules tell senders apart. */
export type SourceKind =
  | 'process-on-this-node'
  /** The detector of pods matches. */
  | 'pod'
  /** A client outside, another node; anybody but this node when there is no detector. */
  | 'other-host';

export type TraceStep =
  | { readonly step: 'source'; readonly kind: SourceKind; readonly address: string | undefined; readonly why: string }
  | { readonly step: 'destination'; readonly kind: 'vip' | 'node-address' | 'elsewhere' }
  /** A rule of sluice's table that matched. */
  | {
      readonly step: 'rule';
      readonly rule: Rule;
      /** The element that made it match, as `sluice plan` names it; undefined when the rule needs none. */
      readonly element: string | undefined;
      /** What the packet's mark is afterwards. */
      readonly mark: number;
    }
  | {
      readonly step: 'virtual-server';
      /** `TCP 10.96.0.1:80`, `FWM 1 IPv4`. */
      readonly key: string;
      /** plain: found by address and port. inside, direct: found by the mark that the filter set. */
      readonly view: 'plain' | 'inside' | 'direct';
      /** `namespace/name:port`; undefined when it is not known. */
      readonly origin: string | undefined;
      readonly scheduler: string;
      /** Seconds for which a client keeps its destination; 0 without affinity. */
      readonly persistenceSeconds: number;
    };

export type Verdict =
  /** One of the destinations, which the scheduler chooses. */
  | { readonly kind: 'balanced'; readonly destinations: readonly TracedDestination[] }
  /** TCP reset or ICMP port unreachable. */
  | { readonly kind: 'rejected'; readonly why: 'no-endpoint' | 'no-port-of-a-service' }
  | {
      readonly kind: 'dropped';
      readonly why: 'no-endpoint-that-the-policy-allows' | 'source-not-allowed' | 'no-service-has-it';
    }
  /** Not sluice's: the packet goes on as if sluice were not there. */
  | { readonly kind: 'passed'; readonly why: 'not-for-this-node' | 'no-virtual-server' | 'health-check' };

export interface TracedDestination {
  /** `10.1.0.2:8080`. */
  readonly key: string;
  readonly address: string;
  readonly weight: number;
  readonly forwarding: ForwardingMethod;
  readonly sees: SourceSeen;
}

/** The source address that a destination sees. */
export type SourceSeen =
  | { readonly kind: 'unchanged'; readonly address: string | undefined }
  /** An address of this node; undefined when it is not known which. */
  | { readonly kind: 'masqueraded'; readonly address: string | undefined; readonly rule: Rule };
