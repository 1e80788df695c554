/** `spec.loadBalancerSourceRanges`. */

import { familyOf, formatCIDR, parseCIDR } from '../../core/address.ts';
import { type Family, families } from '../../core/model/facts.ts';
import type { Refusal } from '../../core/model/reason.ts';
import { excerpt, readList, readString } from './json.ts';

/**
 * A range that no packet comes from. It stands for the refused entries of a family that has no valid one: without it
 * that family would be open to all, and a typing error must never widen access. kube-proxy leaves such entries out, and
 * so opens the family; it relies on the API server, which refuses them. Beside a valid range they count for nothing here
 * too.
 */
const nobody: Readonly<Record<Family, string>> = { IPv4: '0.0.0.0/32', IPv6: '::/128' };

/** Canonical CIDRs. The whole list is read before any of it counts. */
export function readSourceRanges(value: unknown, refusals: Refusal[]): readonly string[] {
  const entries = readList(value, 'spec.loadBalancerSourceRanges');
  if (entries.length === 0) {
    return none;
  }
  const ranges = new Set<string>();
  const refusedFamilies = new Set<Family>();
  for (const [index, entry] of entries.entries()) {
    const subject = `spec.loadBalancerSourceRanges[${index}]`;
    const text = (readString(entry, subject) ?? '').trim();
    const range = parseCIDR(text);
    if (range === undefined) {
      refusals.push({ reason: 'source-range-invalid', subject, found: excerpt(text), expected: 'a CIDR' });
      familiesMeant(text).forEach((family) => refusedFamilies.add(family));
    } else {
      ranges.add(formatCIDR(range));
    }
  }
  const covered = new Set([...ranges].map(familyOf));
  const closed = families.filter((family) => refusedFamilies.has(family) && !covered.has(family));
  return [...ranges, ...closed.map((family) => nobody[family])];
}

/** Nearly every Service has none: they share that. */
const none: readonly string[] = [];

/** Which family an unreadable range was meant for; both when nobody can tell. */
function familiesMeant(text: string): readonly Family[] {
  if (text.includes(':')) {
    return ['IPv6'];
  }
  return /^[\d.]+(\/.*)?$/.test(text) ? ['IPv4'] : families;
}
