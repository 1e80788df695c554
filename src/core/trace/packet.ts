/** A packet to follow, and what of the node decides its way besides what is programmed. */

import type { CIDR } from '../address.ts';
import type { Protocol } from '../model/facts.ts';

/** The first packet of a connection. */
export interface Packet {
  /** Canonical; undefined: a process on this node that lets the routes choose its source. */
  readonly source: string | undefined;
  readonly destination: string;
  readonly protocol: Protocol;
  readonly port: number;
}

/** The node on which the packet is followed. */
export interface TraceNode {
  /** Every address of this node but the VIPs. */
  readonly addresses: ReadonlySet<string>;
  /** Sources inside are pods; empty: pods cannot be told from others. */
  readonly clusterCIDRs: readonly CIDR[];
  /** The bit of the mark that asks for masquerade. */
  readonly masqueradeMark: number;
  /** The address that this node would take as its own towards another; undefined: not known. */
  readonly sourceTowards: (address: string) => string | undefined;
}
