/**
 * Sets of ranges alone (nft_set_rbtree). A range is two elements there, which may come in different answers to a dump:
 * its first address, and the one after its last.
 */

import type { FilterElement } from '../../core/model/filter-element.ts';
import { addressBefore, formatRange } from '../../core/ranges.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import { eachElement } from './decode-element.ts';
import { keyLength, type SetLayout } from './set-layout.ts';

export interface RangeBoundary {
  /** In network byte order. */
  readonly address: Buffer;
  readonly endsRange: boolean;
}

/** The boundaries in one answer to a dump, copied. Throws NetlinkDecodeError. */
export function copyBoundaries(message: MessageCursor, set: SetLayout): readonly RangeBoundary[] {
  const boundaries: RangeBoundary[] = [];
  eachElement(message, keyLength(set), ({ bytes, keyAt, endsRange }) => {
    boundaries.push({ address: Buffer.from(bytes.subarray(keyAt, keyAt + keyLength(set))), endsRange });
  });
  return boundaries;
}

/** The elements of a whole set. A range without an end goes up to the last address of all. */
export function makeRanges(set: SetLayout, boundaries: readonly RangeBoundary[]): readonly FilterElement[] {
  const { set: name, family } = set;
  if (name !== 'pod_sources' && name !== 'service_ranges') return [];
  const sorted = [...boundaries].sort((one, other) => {
    const order = Buffer.compare(one.address, other.address);
    return order === 0 ? Number(other.endsRange) - Number(one.endsRange) : order;
  });
  return sorted.flatMap(({ address: first, endsRange }, index): readonly FilterElement[] => {
    if (endsRange) return [];
    const next = sorted[index + 1];
    const last = next === undefined ? first.map(() => 0xff) : addressBefore(next.address);
    return last === undefined ? [] : [{ set: name, range: formatRange({ first, last }, family) }];
  });
}
