/**
 * Ranges of addresses as text: a CIDR, which is how sluice writes them, or `first-last` for what another hand put into
 * the kernel.
 */

import { addressBytes, type CIDR, cidrContains, familyOf, readAddress } from './address.ts';
import type { Family } from './model/facts.ts';

/** First and last address of a range, both inside, in network byte order. */
export interface RangeBounds {
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

/** The bounds of a canonical range. Throws RangeError on anything else: callers hold canonical text. */
export function boundsOf(range: string): RangeBounds {
  const [start = '', end] = range.split('-');
  if (end !== undefined) {
    return { first: addressBytes(start), last: addressBytes(end) };
  }
  const [address = '', prefix = ''] = range.split('/');
  const first = addressBytes(address);
  return { first, last: first.map((byte, index) => byte | hostBits(Number(prefix), index)) };
}

/** The text of a range: a CIDR when it is one. */
export function formatRange({ first, last }: RangeBounds, family: Family): string {
  const prefixLength = commonBits(first, last);
  const isCIDR = first.every((byte, index) => {
    const host = hostBits(prefixLength, index);
    return (byte & host) === 0 && ((last[index] ?? 0) & host) === host;
  });
  const start = readAddress(first, 0, family);
  return isCIDR ? `${start}/${prefixLength}` : `${start}-${readAddress(last, 0, family)}`;
}

/** Whether two ranges share an address. Those of different families never do. */
export function rangesMeet(one: string, other: string): boolean {
  if (familyOf(one) !== familyOf(other)) {
    return false;
  }
  const [a, b] = [boundsOf(one), boundsOf(other)];
  return compareBytes(a.first, b.last) <= 0 && compareBytes(b.first, a.last) <= 0;
}

/** Undefined after the last address of all. */
export function addressAfter(address: Uint8Array): Uint8Array | undefined {
  const place = address.findLastIndex((byte) => byte !== 0xff);
  return place < 0 ? undefined : address.map((byte, index) => (index < place ? byte : index === place ? byte + 1 : 0));
}

/** Undefined before the first address of all. */
export function addressBefore(address: Uint8Array): Uint8Array | undefined {
  const place = address.findLastIndex((byte) => byte !== 0);
  return place < 0
    ? undefined
    : address.map((byte, index) => (index < place ? byte : index === place ? byte - 1 : 0xff));
}

/** The same addresses without CIDRs that repeat another or lie in one, in the order of their addresses. */
export function withoutNested(cidrs: readonly CIDR[]): readonly CIDR[] {
  const sorted = cidrs
    .map((cidr) => ({ cidr, bytes: addressBytes(cidr.address) }))
    .sort((one, other) => {
      const order = compareBytes(one.bytes, other.bytes);
      return order === 0 ? one.cidr.prefixLength - other.cidr.prefixLength : order;
    });
  const kept: CIDR[] = [];
  for (const { cidr } of sorted) {
    // Two CIDRs either do not meet or one lies in the other; in this order what lies in a CIDR follows it at once.
    const last = kept.at(-1);
    if (last === undefined || !cidrContains(last, cidr.address)) {
      kept.push(cidr);
    }
  }
  return kept;
}

/** The bits of the byte at `index` that stand behind the prefix. */
function hostBits(prefixLength: number, index: number): number {
  return 0xff >> Math.min(8, Math.max(0, prefixLength - index * 8));
}

/** How many leading bits two addresses of a family share. */
function commonBits(one: Uint8Array, other: Uint8Array): number {
  for (const [index, byte] of one.entries()) {
    const difference = byte ^ (other[index] ?? 0);
    if (difference !== 0) {
      return index * 8 + Math.clz32(difference) - 24;
    }
  }
  return one.length * 8;
}

/** Shorter ones, that is IPv4, first. */
function compareBytes(one: Uint8Array, other: Uint8Array): number {
  if (one.length !== other.length) {
    return one.length - other.length;
  }
  for (const [index, byte] of one.entries()) {
    const difference = byte - (other[index] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
}
