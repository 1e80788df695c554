/** CIDRs that come and go in number, by prefix length: a lookup costs one step per length in use, not per CIDR. */

import { type CIDR, familyOf, networkOf } from './address.ts';
import type { Family } from './model/facts.ts';

export type RangeSet = Readonly<Record<Family, ReadonlyMap<number, ReadonlyMap<string, number>>>>;

export interface RangeStore extends RangeSet {
  /** By prefix length, then by network: how often it was added. */
  readonly IPv4: Map<number, Map<string, number>>;
  readonly IPv6: Map<number, Map<string, number>>;
}

export function emptyRanges(): RangeStore {
  return { IPv4: new Map(), IPv6: new Map() };
}

export function addRange(ranges: RangeStore, { family, prefixLength, address }: CIDR): void {
  const ofLength = ranges[family].get(prefixLength) ?? new Map<string, number>();
  ofLength.set(address, (ofLength.get(address) ?? 0) + 1);
  ranges[family].set(prefixLength, ofLength);
}

/** Takes back one `addRange`. */
export function removeRange(ranges: RangeStore, { family, prefixLength, address }: CIDR): void {
  const ofLength = ranges[family].get(prefixLength);
  const count = ofLength?.get(address) ?? 0;
  if (count > 1) {
    ofLength?.set(address, count - 1);
  } else if (ofLength?.delete(address) === true && ofLength.size === 0) {
    ranges[family].delete(prefixLength);
  }
}

/** A CIDR of the set that contains the address, undefined when none does. */
export function rangeAround(ranges: RangeSet, address: string): CIDR | undefined {
  const family = familyOf(address);
  for (const [prefixLength, networks] of ranges[family]) {
    const network = networkOf(address, prefixLength);
    if (networks.has(network)) {
      return { address: network, prefixLength, family };
    }
  }
  return undefined;
}

export function isEmptyRanges(ranges: RangeSet): boolean {
  return ranges.IPv4.size === 0 && ranges.IPv6.size === 0;
}
