import type { LongList } from '../large-list.ts';
import type { FilterElement } from './filter-element.ts';
import type { Vip, VipState } from './vip.ts';
import type { Destination, VirtualServer, VirtualServerIdentity } from './virtual-server.ts';

/**
 * What adds something says its resource key where that is at hand: made once more, each of some ten thousand would be kept
 * twice.
 */
export type IpvsOperation =
  | { readonly kind: 'add-virtual-server'; readonly server: VirtualServer; readonly key?: string }
  | { readonly kind: 'edit-virtual-server'; readonly server: VirtualServer }
  | { readonly kind: 'remove-virtual-server'; readonly identity: VirtualServerIdentity }
  | {
      readonly kind: 'add-destination' | 'edit-destination' | 'remove-destination';
      readonly identity: VirtualServerIdentity;
      readonly destination: Destination;
    };

export type FilterOperation =
  | { readonly kind: 'add-element'; readonly element: FilterElement; readonly key?: string }
  | { readonly kind: 'remove-element'; readonly element: FilterElement };

export type VipOperation =
  /** Also completes a VIP of which a part is missing or whose source or route differs. `before` is what is there of it. */
  | { readonly kind: 'add-vip'; readonly vip: Vip; readonly key?: string; readonly before?: VipState }
  | { readonly kind: 'remove-vip'; readonly address: string; readonly before?: VipState };

export type Operation = IpvsOperation | FilterOperation | VipOperation;

/**
 * The phases of one pass, in order. Making comes before exposing, exposing before hiding, hiding before deleting.
 * Each list goes to one kernel interface and is complete before the next one starts.
 */
export interface Plan {
  /**
   * What must stand before a virtual server gets a destination, since it may answer at once (a node port, another port of
   * a VIP): the record of ownership, masquerade, drops.
   */
  readonly claim: readonly FilterOperation[];
  /** Virtual servers with their destinations, added destinations, raised weights, edits. */
  readonly make: readonly IpvsOperation[];
  /** Elements of VIPs about to be exposed; views whose virtual server now stands; drops that are over. One transaction. */
  readonly guard: readonly FilterOperation[];
  readonly expose: readonly VipOperation[];
  /** Weight 0 for destinations on their way out; destinations that need no drain are removed. */
  readonly quiesce: readonly IpvsOperation[];
  readonly hide: readonly VipOperation[];
  /** Elements of removed VIPs; masquerade that no destination needs any more. */
  readonly unguard: readonly FilterOperation[];
  /** Virtual servers that are no longer wanted, destinations whose drain is over. */
  readonly remove: readonly IpvsOperation[];
  /** The ownership elements of virtual servers that are gone, and what guarded them. */
  readonly disclaim: readonly FilterOperation[];
}

/** One that may have any number of operations. */
export type LargePlan = { readonly [Phase in keyof Plan]: LongList<Plan[Phase][number]> };
