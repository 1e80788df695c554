/** The rules of sluice's table that a trace names: the chain, and the comment under which `nft list` shows the rule. */

export const rules = {
  unallocated: { chain: 'unallocated', comment: 'an address for Services that no Service has' },
  drop: { chain: 'before_ipvs', comment: 'no endpoint that the policy allows' },
  restricted: { chain: 'before_ipvs', comment: 'not among the loadBalancerSourceRanges' },
  insideView: { chain: 'before_ipvs', comment: 'pods get the endpoints of the whole cluster' },
  directView: { chain: 'before_ipvs', comment: 'endpoints answer directly' },
  dropOutside: { chain: 'before_ipvs', comment: 'no endpoint on this node' },
  masqueradeOutside: { chain: 'before_ipvs', comment: 'clients that are no pods' },
  masquerade: { chain: 'before_ipvs', comment: 'every client' },
  unallocatedFromNode: { chain: 'before_ipvs_from_node', comment: 'an address for Services that no Service has' },
  dropFromNode: { chain: 'before_ipvs_from_node', comment: 'no endpoint that the policy allows' },
  restrictedFromNode: { chain: 'before_ipvs_from_node', comment: 'not among the loadBalancerSourceRanges' },
  insideViewFromNode: {
    chain: 'before_ipvs_from_node',
    comment: 'the node gets the endpoints of the whole cluster',
  },
  masqueradeFromNode: { chain: 'before_ipvs_from_node', comment: 'node ports' },
  healthCheck: { chain: 'after_ipvs', comment: 'probes of load balancers' },
  otherPort: { chain: 'after_ipvs', comment: 'not a port of a Service' },
  sourceNat: { chain: 'source_nat', comment: 'asked for before IPVS' },
  hairpin: { chain: 'source_nat', comment: 'a pod that reaches itself must see another source' },
  nodePortsFromNode: { chain: 'source_nat', comment: 'node ports, from the node itself' },
} as const;

export type Rule = (typeof rules)[keyof typeof rules];
