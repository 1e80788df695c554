import type { Encapsulation } from './pod-tunnel.ts';

/**
 * A VIP as the node holds it: an address on the VIP interface (mode `address`) and a local route to it
 * (both modes) whose source is the node's own address, so that a process on the node is seen as the node.
 */
export interface Vip {
  readonly address: string;
  /** The route's preferred source; undefined when the node has no address of that family. */
  readonly source: string | undefined;
  /**
   * The address is the node's, but not local: packets to it are steered here, so that a pod of this node may answer from
   * it (src/kernel/nft/chains.ts). Its route is an ordinary one.
   */
  readonly isSteered?: true;
  /** Of a steered VIP: how its packets are wrapped, which leaves them so much less room. */
  readonly encapsulation?: Encapsulation;
}

export type VipMode = 'address' | 'route';

/** What the kernel holds for one VIP. A vip is complete when both parts its mode asks for are there. */
export interface VipState {
  readonly address: string;
  /** The address is on the VIP interface. */
  readonly onInterface: boolean;
  /** sluice's local route is there (by its route protocol number). */
  readonly routed: boolean;
  readonly source: string | undefined;
  /** The route is that of a steered VIP; `routed` says whether all else that it needs is there too. */
  readonly isSteered?: true;
}
