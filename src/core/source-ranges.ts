/** `spec.loadBalancerSourceRanges`: who may reach a Service by its load-balancer IPs. */

import { addressBits, type CIDR, cidrContains, familyOf, formatCIDR, parseCIDR } from './address.ts';
import type { Family } from './model/facts.ts';
import { withoutNested } from './ranges.ts';

/**
 * The ranges of one family; undefined when everybody may come: without a range of this family, or with one of prefix
 * length 0 (pkg/proxy/serviceport.go in kubernetes/kubernetes).
 */
export function allowedSources(ranges: readonly string[], family: Family): readonly CIDR[] | undefined {
  const allowed = ranges
    .map(parseCIDR)
    .filter((range) => range !== undefined)
    .filter((range) => range.family === family);
  const isOpen = allowed.length === 0 || allowed.some((range) => range.prefixLength === 0);
  return isOpen ? undefined : allowed;
}

/**
 * The ranges for one load-balancer IP, as CIDRs that do not meet. Where the node itself may come, the VIP may be the
 * source too: what a process of the node sends from there loops back.
 */
export function allowedSourcesOf(vip: string, allowed: readonly CIDR[], node: string | undefined): readonly string[] {
  const family = familyOf(vip);
  const itself: CIDR = { address: vip, prefixLength: addressBits(family), family };
  const includesNode = node !== undefined && allowed.some((range) => cidrContains(range, node));
  return withoutNested(includesNode ? [...allowed, itself] : allowed).map(formatCIDR);
}
