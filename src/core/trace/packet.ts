/** A packet to follow, and what of the node decides its way besides what is programmed. */

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
  /** The interface that pods are told by, `*` at its end for any that begins so; undefined: by their address. */
  readonly podInterface: string | undefined;
  /** The bit of the mark that asks for masquerade. */
  readonly masqueradeMark: number;
  /** The address that this node would take as its own towards another; undefined: not known. */
  readonly sourceTowards: (address: string) => string | undefined;
  /** The interface that leads to an address, and from it; undefined: not known. */
  readonly interfaceTowards: (address: string) => string | undefined;
}
