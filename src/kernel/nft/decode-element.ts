/** Reads the elements of a set back. */

import { type FilterElement, isViewSet } from '../../core/model/filter-element.ts';
import { formatRange } from '../../core/ranges.ts';
import { readAddressText } from '../address-text.ts';
import {
  type AttributeCursor,
  enterNested,
  messageAttributes,
  nestedAttributes,
  nextAttribute,
  readBe32,
  readU32,
  valueLength,
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
  /** Where its user data lie in `userDataIn`; nowhere when it ends where it begins. */
  userDataAt: number;
  userDataEnd: number;
  userDataIn: Buffer;
}

/** Cursors of one message, for all its elements. */
interface ElementCursors {
  /** On the list, on an element, on its key or data. */
  readonly list: AttributeCursor;
  readonly element: AttributeCursor;
  readonly value: AttributeCursor;
}

/** Shows each element of a set in one answer to a dump; its keys have `keyBytes`. Throws NetlinkDecodeError. */
export function eachElement(message: MessageCursor, keyBytes: number, visit: (shown: ShownElement) => void): void {
  if (message.type !== NFT_MSG_NEWSETELEM) return;
  const shown = nothingShown(message);
  const outer = messageAttributes(message, netfilterHeaderLength);
  const cursors = { list: nestedAttributes(outer), element: nestedAttributes(outer), value: nestedAttributes(outer) };
  const { list } = cursors;
  while (nextAttribute(outer)) {
    if (outer.type !== NFTA_SET_ELEM_LIST_ELEMENTS) continue;
    enterNested(list, outer);
    while (nextAttribute(list)) {
      if (list.type === NFTA_LIST_ELEM && readElement(cursors, keyBytes, shown)) visit(shown);
    }
  }
}

function nothingShown({ received: { bytes, view } }: MessageCursor): ShownElement {
  const nowhere = { keyAt: -1, keyEndAt: -1, userDataAt: 0, userDataEnd: 0 };
  return { bytes, view, ...nowhere, endsRange: false, mark: undefined, userDataIn: bytes };
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
  const { bytes, keyAt, mark } = shown;
  const comment = readComment(shown.userDataIn.subarray(shown.userDataAt, shown.userDataEnd));
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
function readElement({ list, element, value }: ElementCursors, keyBytes: number, into: ShownElement): boolean {
  into.keyAt = -1;
  into.keyEndAt = -1;
  into.endsRange = false;
  into.mark = undefined;
  into.userDataEnd = into.userDataAt;
  enterNested(element, list);
  while (nextAttribute(element)) {
    const { type } = element;
    if (type === NFTA_SET_ELEM_KEY) into.keyAt = findKey(element, value, keyBytes);
    else if (type === NFTA_SET_ELEM_KEY_END) into.keyEndAt = findKey(element, value, keyBytes);
    else if (type === NFTA_SET_ELEM_FLAGS) into.endsRange = (readBe32(element) & NFT_SET_ELEM_INTERVAL_END) !== 0;
    else if (type === NFTA_SET_ELEM_DATA) into.mark = findValue(element, value) ? readU32(value) : undefined;
    else if (type === NFTA_SET_ELEM_USERDATA) {
      into.userDataAt = element.value;
      into.userDataEnd = element.valueEnd;
    }
  }
  return into.keyAt >= 0;
}

/** Where the key in the attribute that `outer` stands on begins; -1 without one. */
function findKey(outer: AttributeCursor, value: AttributeCursor, keyBytes: number): number {
  if (!findValue(outer, value)) return -1;
  if (valueLength(value) < keyBytes) throw new NetlinkDecodeError('the key of an element is cut short', value.value);
  return value.value;
}

/** Makes `value` stand on the value inside the attribute that `outer` stands on; false without one. */
function findValue(outer: AttributeCursor, value: AttributeCursor): boolean {
  enterNested(value, outer);
  while (nextAttribute(value)) if (value.type === NFTA_DATA_VALUE) return true;
  return false;
}
