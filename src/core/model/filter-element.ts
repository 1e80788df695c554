import type { Family, Protocol } from './facts.ts';
import type { Encapsulation } from './pod-tunnel.ts';

/**
 * Elements of the sets and maps in sluice's own nftables table. A frontend is (address, protocol, port).
 *
 * | set | says |
 * |---|---|
 * | virtual_servers | this virtual server is sluice's: the record of ownership, made before it and removed after it |
 * | fwmarks | the same for a fwmark virtual server |
 * | pod_sources | sources in this range are pods |
 * | service_ranges | addresses in this range are for Services: one that this node does not have leads nowhere |
 * | vips | this address on the VIP interface is sluice's; its other ports are rejected |
 * | masquerade | masquerade every source |
 * | masquerade_outside | masquerade sources that are no pods |
 * | inside_view | sources inside the cluster get this firewall mark, and with it the fwmark virtual server |
 * | direct_view | the same for sources outside: the endpoints answer them directly |
 * | direct_return | packets to this VIP are for this node, though the address is not |
 * | drop | drop new connections of every source |
 * | drop_outside | drop new connections of sources outside the cluster |
 * | health_check | let this port of a VIP through to the agent's own server |
 * | restricted | drop new connections of every source that is not among its allowed sources |
 * | allowed_sources | a source range that may reach this restricted frontend |
 * | hairpin | masquerade this endpoint when it reaches itself |
 */
export type FrontendSet =
  | 'virtual_servers'
  | 'masquerade'
  | 'masquerade_outside'
  | 'drop'
  | 'drop_outside'
  | 'health_check'
  | 'restricted';

/** Maps of a frontend to the firewall mark of another virtual server. */
export const viewSets = ['inside_view', 'direct_view'] as const;

export type ViewSet = (typeof viewSets)[number];

export type FilterElement =
  | {
      readonly set: FrontendSet;
      readonly address: string;
      readonly protocol: Protocol;
      readonly port: number;
      /** Shown by `nft list`; at most 127 bytes; not compared. Only on virtual_servers. */
      readonly comment?: string;
    }
  | {
      readonly set: ViewSet;
      readonly address: string;
      readonly protocol: Protocol;
      readonly port: number;
      readonly mark: number;
    }
  | {
      readonly set: 'allowed_sources';
      readonly address: string;
      readonly protocol: Protocol;
      readonly port: number;
      /** See `ranges.ts`. Ranges of one frontend must not overlap: the kernel refuses it. */
      readonly range: string;
    }
  | { readonly set: 'vips' | 'hairpin'; readonly address: string }
  /** The kernel does not hold the encapsulation; it is not compared. */
  | { readonly set: 'direct_return'; readonly address: string; readonly encapsulation?: Encapsulation }
  /** Ranges of one set must not overlap either. */
  | { readonly set: 'pod_sources' | 'service_ranges'; readonly range: string }
  | { readonly set: 'fwmarks'; readonly family: Family; readonly mark: number; readonly comment?: string };

export type SetName = FilterElement['set'];

/** Whether an element carries the mark of a view. */
export function isViewElement(element: FilterElement): element is Extract<FilterElement, { readonly set: ViewSet }> {
  return isViewSet(element.set);
}

export function isViewSet(set: SetName): set is ViewSet {
  return viewSets.some((each) => each === set);
}

/** Every set, in the order of the table above. In nftables each exists twice, with the suffix `4` and `6`. */
export const setNames: readonly SetName[] = [
  'virtual_servers',
  'fwmarks',
  'pod_sources',
  'service_ranges',
  'vips',
  'masquerade',
  'masquerade_outside',
  'inside_view',
  'direct_view',
  'direct_return',
  'drop',
  'drop_outside',
  'health_check',
  'restricted',
  'allowed_sources',
  'hairpin',
];
