/** Reads the elements of a set back. */

import { readAddress } from '../../core/address.ts';
import type { FilterElement } from '../../core/model/filter-element.ts';
import { formatRange } from '../../core/ranges.ts';
import {
  type AttributeCursor,
  messageAttributes,
  nestedAttributes,
  nextAttribute,
  readU32,
  viewBytes,
} from '../netlink/attribute-reader.ts';
import { netfilterHeaderLength } from '../netlink/constants.ts';
import { NetlinkDecodeError } from '../netlink/decode-error.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import {
  NFT_MSG_NEWSETELEM,
  NFTA_DATA_VALUE,
  NFTA_LIST_ELEM,
  NFTA_SET_ELEM_DATA,
  NFTA_SET_ELEM_KEY,
  NFTA_SET_ELEM_KEY_END,
  NFTA_SET_ELEM_LIST_ELEMENTS,
  NFTA_SET_ELEM_USERDATA,
} from './constants.ts';
import { keyLength, protocolOfNumber, type SetLayout } from './set-layout.ts';
import { readComment } from './user-data.ts';

/**
 * The elements of `set` in one answer to a dump. Elements that sluice could not have written (another protocol, an
 * address paired with another) are left out. Throws NetlinkDecodeError.
 */
export function readElements(message: MessageCursor, set: SetLayout): readonly FilterElement[] {
  if (message.type !== NFT_MSG_NEWSETELEM) return [];
  const elements: FilterElement[] = [];
  const cursor = messageAttributes(message, netfilterHeaderLength);
  while (nextAttribute(cursor)) {
    if (cursor.type !== NFTA_SET_ELEM_LIST_ELEMENTS) continue;
    const list = nestedAttributes(cursor);
    while (nextAttribute(list)) {
      const element = list.type === NFTA_LIST_ELEM ? readElement(list, set) : undefined;
      if (element !== undefined) elements.push(element);
    }
  }
  return elements;
}

/** What the kernel says of one element. */
interface Raw {
  readonly key: Buffer;
  /** Of sets with ranges. */
  readonly keyEnd: Buffer | undefined;
  readonly mark: number | undefined;
  readonly comment: string | undefined;
}

function readElement(list: AttributeCursor, set: SetLayout): FilterElement | undefined {
  let key: Buffer | undefined;
  let keyEnd: Buffer | undefined;
  let mark: number | undefined;
  let comment: string | undefined;
  const cursor = nestedAttributes(list);
  while (nextAttribute(cursor)) {
    if (cursor.type === NFTA_SET_ELEM_KEY) key = readValue(cursor, viewBytes);
    else if (cursor.type === NFTA_SET_ELEM_KEY_END) keyEnd = readValue(cursor, viewBytes);
    else if (cursor.type === NFTA_SET_ELEM_DATA) mark = readValue(cursor, readU32);
    else if (cursor.type === NFTA_SET_ELEM_USERDATA) comment = readComment(viewBytes(cursor));
  }
  if (key === undefined) return undefined;
  if (Math.min(key.length, keyEnd?.length ?? key.length) < keyLength(set)) {
    throw new NetlinkDecodeError('the key of an element is cut short', list.value);
  }
  return makeElement(set, { key, keyEnd, mark, comment });
}

function readValue<Value>(outer: AttributeCursor, read: (cursor: AttributeCursor) => Value): Value | undefined {
  const cursor = nestedAttributes(outer);
  while (nextAttribute(cursor)) if (cursor.type === NFTA_DATA_VALUE) return read(cursor);
  return undefined;
}

function makeElement(set: SetLayout, { key, keyEnd, mark, comment }: Raw): FilterElement | undefined {
  const remark = comment === undefined ? {} : { comment };
  if (set.set === 'fwmarks') return { set: set.set, family: set.family, mark: key.readUInt32LE(0), ...remark };
  const address = readAddress(key, 0, set.family);
  if (set.set === 'vips') return { set: set.set, address };
  const addressEnd = set.family === 'IPv4' ? 4 : 16;
  if (set.set === 'hairpin') {
    return readAddress(key, addressEnd, set.family) === address ? { set: set.set, address } : undefined;
  }
  const protocol = protocolOfNumber(key.readUInt8(addressEnd));
  if (protocol === undefined) return undefined;
  const frontend = { address, protocol, port: key.readUInt16BE(addressEnd + 4) };
  if (set.set === 'inside_view') return mark === undefined ? undefined : { set: set.set, ...frontend, mark };
  if (set.set === 'allowed_sources') {
    const at = addressEnd + 8;
    const bounds = { first: key.subarray(at, at + addressEnd), last: (keyEnd ?? key).subarray(at, at + addressEnd) };
    return { set: set.set, ...frontend, range: formatRange(bounds, set.family) };
  }
  return set.set === 'virtual_servers' ? { set: set.set, ...frontend, ...remark } : { set: set.set, ...frontend };
}
