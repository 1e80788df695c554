/** Reads the elements of a set back. */

import { type FilterElement, isViewSet } from '../../core/model/filter-element.ts';
import { formatRange } from '../../core/ranges.ts';
import { readAddressText } from '../address-text.ts';
import {
  type AttributeCursor,
  messageAttributes,
  nestedAttributes,
  nextAttribute,
  readBe32,
  readU32,
  valueLength,
  viewBytes,
} from '../netlink/attribute-reader.ts';
import { netfilterHeaderLength } from '../netlink/constants.ts';
import { NetlinkDecodeError } from '../netlink/decode-error.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import {
  NFT_MSG_NEWSETELEM,
  NFT_SET_ELEM_INTERVAL_END,
  NFTA_DATA_VALUE,
  NFTA_LIST_ELEM,
  NFTA_SET_ELEM_DATA,
  NFTA_SET_ELEM_FLAGS,
  NFTA_SET_ELEM_KEY,
  NFTA_SET_ELEM_KEY_END,
  NFTA_SET_ELEM_LIST_ELEMENTS,
  NFTA_SET_ELEM_USERDATA,
} from './constants.ts';
import { keyLength, protocolOfNumber, type SetLayout } from './set-layout.ts';
import { readComment } from './user-data.ts';

/** An element as the kernel shows it; valid only while the buffer is, and filled anew for each element. */
export interface ShownElement {
  bytes: Buffer;
  view: DataView;
  /** Where its key begins. */
  keyAt: number;
  /** Where the key of its last address begins; -1 but in sets with ranges. */
  keyEndAt: number;
  /** In sets of ranges alone: its key is not the first address of a range, but the one after the last. */
  endsRange: boolean;
  /** The data of a map. */
  mark: number | undefined;
  comment: string | undefined;
}

/** Shows each element of a set in one answer to a dump; its keys have `keyBytes`. Throws NetlinkDecodeError. */
export function eachElement(message: MessageCursor, keyBytes: number, visit: (shown: ShownElement) => void): void {
  if (message.type !== NFT_MSG_NEWSETELEM) return;
  const { bytes, view } = message.received;
  const nothing = { keyAt: -1, keyEndAt: -1, endsRange: false, mark: undefined, comment: undefined };
  const shown: ShownElement = { bytes, view, ...nothing };
  const cursor = messageAttributes(message, netfilterHeaderLength);
  while (nextAttribute(cursor)) {
    if (cursor.type !== NFTA_SET_ELEM_LIST_ELEMENTS) continue;
    const list = nestedAttributes(cursor);
    while (nextAttribute(list)) {
      if (list.type === NFTA_LIST_ELEM && readElement(list, keyBytes, shown)) visit(shown);
    }
  }
}

/** The elements of `set` in one answer to a dump that sluice can have written. Throws NetlinkDecodeError. */
export function copyElements(message: MessageCursor, set: SetLayout): readonly FilterElement[] {
  const elements: FilterElement[] = [];
  eachElement(message, keyLength(set), (shown) => {
    const element = makeElement(set, shown);
    if (element !== undefined) elements.push(element);
  });
  return elements;
}

/**
 * The element as the model has it; undefined for one that sluice could not have written (another protocol, an address
 * paired with another), and for a part of a range: see `ranges-alone.ts`.
 */
export function makeElement(set: SetLayout, shown: ShownElement): FilterElement | undefined {
  if (set.set === 'pod_sources' || set.set === 'service_ranges') return undefined;
  const { bytes, keyAt, mark, comment } = shown;
  const remark = comment === undefined ? {} : { comment };
  if (set.set === 'fwmarks') return { set: set.set, family: set.family, mark: bytes.readUInt32LE(keyAt), ...remark };
  const address = readAddressText(bytes, keyAt, set.family);
  if (set.set === 'vips' || set.set === 'direct_return') return { set: set.set, address };
  const addressEnd = keyAt + (set.family === 'IPv4' ? 4 : 16);
  if (set.set === 'hairpin') {
    return readAddressText(bytes, addressEnd, set.family) === address ? { set: set.set, address } : undefined;
  }
  const protocol = protocolOfNumber(bytes.readUInt8(addressEnd));
  if (protocol === undefined) return undefined;
  const frontend = { address, protocol, port: bytes.readUInt16BE(addressEnd + 4) };
  if (isViewSet(set.set)) return mark === undefined ? undefined : { set: set.set, ...frontend, mark };
  if (set.set === 'allowed_sources') return { set: set.set, ...frontend, range: readRange(set, shown) };
  return set.set === 'virtual_servers' ? { set: set.set, ...frontend, ...remark } : { set: set.set, ...frontend };
}

/** The addresses at the end of the first and of the last key. */
function readRange(set: SetLayout, { bytes, keyAt, keyEndAt }: ShownElement): string {
  const length = set.family === 'IPv4' ? 4 : 16;
  const last = keyEndAt < 0 ? keyAt : keyEndAt;
  const addressOf = (key: number): Buffer => bytes.subarray(key + keyLength(set) - length, key + keyLength(set));
  return formatRange({ first: addressOf(keyAt), last: addressOf(last) }, set.family);
}

/** False for an element without a key. */
function readElement(list: AttributeCursor, keyBytes: number, into: ShownElement): boolean {
  into.keyAt = -1;
  into.keyEndAt = -1;
  into.endsRange = false;
  into.mark = undefined;
  into.comment = undefined;
  const cursor = nestedAttributes(list);
  while (nextAttribute(cursor)) {
    if (cursor.type === NFTA_SET_ELEM_KEY) into.keyAt = readKeyPosition(cursor, keyBytes);
    else if (cursor.type === NFTA_SET_ELEM_KEY_END) into.keyEndAt = readKeyPosition(cursor, keyBytes);
    else if (cursor.type === NFTA_SET_ELEM_FLAGS) into.endsRange = (readBe32(cursor) & NFT_SET_ELEM_INTERVAL_END) !== 0;
    else if (cursor.type === NFTA_SET_ELEM_DATA) into.mark = readValue(cursor, readU32);
    else if (cursor.type === NFTA_SET_ELEM_USERDATA) into.comment = readComment(viewBytes(cursor));
  }
  return into.keyAt >= 0;
}

function readKeyPosition(outer: AttributeCursor, keyBytes: number): number {
  const keyAt = readValue(outer, (value) => {
    if (valueLength(value) < keyBytes) {
      throw new NetlinkDecodeError('the key of an element is cut short', value.value);
    }
    return value.value;
  });
  return keyAt ?? -1;
}

function readValue<Value>(outer: AttributeCursor, read: (cursor: AttributeCursor) => Value): Value | undefined {
  const cursor = nestedAttributes(outer);
  while (nextAttribute(cursor)) if (cursor.type === NFTA_DATA_VALUE) return read(cursor);
  return undefined;
}
