/** Writes the messages that add and remove elements. */

import type { Protocol } from '../../core/model/facts.ts';
import { type FilterElement, isViewElement } from '../../core/model/filter-element.ts';
import { addressAfter, boundsOf } from '../../core/ranges.ts';
import { writeAddressText } from '../address-text.ts';
import { beginNest, endNest, nestLength, putBe32, putBytes, putString } from '../netlink/attribute-writer.ts';
import { type Batch, beginMessage, endMessage, putNetfilterHeader } from '../netlink/batch.ts';
import { NLM_F_CREATE } from '../netlink/constants.ts';
import {
  NFPROTO_INET,
  NFT_MSG_DELSETELEM,
  NFT_MSG_NEWSETELEM,
  NFT_SET_ELEM_INTERVAL_END,
  NFTA_DATA_VALUE,
  NFTA_LIST_ELEM,
  NFTA_SET_ELEM_DATA,
  NFTA_SET_ELEM_FLAGS,
  NFTA_SET_ELEM_KEY,
  NFTA_SET_ELEM_KEY_END,
  NFTA_SET_ELEM_LIST_ELEMENTS,
  NFTA_SET_ELEM_LIST_SET,
  NFTA_SET_ELEM_LIST_TABLE,
  NFTA_SET_ELEM_USERDATA,
  NFTNL_UDATA_COMMENT,
} from './constants.ts';
import { keyLength, protocolNumber, type SetLayout, tableName } from './set-layout.ts';

/** Bytes of comment that the user data of an element may hold, without the NUL (NFTNL_UDATA_COMMENT_MAXLEN is 128). */
const longestComment = 127;

/** The nest of a message's elements, which must stay below 65,536 bytes, is closed before one more would not fit. */
const fullNest = 65_000;

export type ElementVerb = 'add' | 'remove';

/** Elements of one set: those of the operations at `indexes`, from position `from` of these on. */
export interface ElementList {
  readonly operations: readonly { readonly element: FilterElement }[];
  readonly indexes: readonly number[];
  readonly from: number;
}

/** Writes one message with as many of the elements as fit, all of `set`. Returns the position of the first that is left. */
export function putElements(batch: Batch, verb: ElementVerb, set: SetLayout, list: ElementList): number {
  const isAdd = verb === 'add';
  beginMessage(batch, isAdd ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, isAdd ? NLM_F_CREATE : 0);
  putNetfilterHeader(batch, NFPROTO_INET, 0, 0);
  putString(batch, NFTA_SET_ELEM_LIST_TABLE, tableName);
  putString(batch, NFTA_SET_ELEM_LIST_SET, set.name);
  const nest = beginNest(batch, NFTA_SET_ELEM_LIST_ELEMENTS);
  let next = list.from;
  for (; next < list.indexes.length && nestLength(batch, nest) < fullNest; next += 1) {
    const element = list.operations[list.indexes[next] ?? -1]?.element;
    if (element !== undefined && 'range' in element && set.key === 'range') putRange(batch, element.range);
    else if (element !== undefined) putElement(batch, set, element, isAdd);
  }
  endNest(batch, nest);
  endMessage(batch);
  return next;
}

/** The bytes of an element's key. Throws RangeError when its address is none. */
export function elementKey(set: SetLayout, element: FilterElement): Uint8Array {
  const key = new Uint8Array(keyLength(set));
  writeKey(key, element);
  return key;
}

/** The key of the last address of a range; a range of one address has it too, as nft writes it. */
function lastKey(set: SetLayout, element: Extract<FilterElement, { readonly set: 'allowed_sources' }>): Uint8Array {
  const key = elementKey(set, element);
  const { last } = boundsOf(element.range);
  key.set(last, key.length - last.length);
  return key;
}

/** Writes an element's key over zeros. Throws as above. */
export function writeKey(key: Uint8Array, element: FilterElement): void {
  switch (element.set) {
    case 'fwmarks':
      writeMark(key, element.mark);
      return;
    case 'pod_sources':
    case 'service_ranges':
      key.set(boundsOf(element.range).first);
      return;
    case 'vips':
    case 'direct_return':
      writeAddress(element.address, key, 0);
      return;
    case 'hairpin':
      writeAddress(element.address, key, writeAddress(element.address, key, 0));
      return;
    case 'allowed_sources':
      key.set(boundsOf(element.range).first, writeFrontend(key, element));
      return;
    default:
      writeFrontend(key, element);
  }
}

/** Keys of each length, used again for every element: a large table has tens of thousands. */
const keysInPlace = new Map<number, Uint8Array>();

function keyInPlace(set: SetLayout, element: FilterElement): Uint8Array {
  const length = keyLength(set);
  let key = keysInPlace.get(length);
  if (key === undefined) {
    key = new Uint8Array(length);
    keysInPlace.set(length, key);
  }
  key.fill(0);
  writeKey(key, element);
  return key;
}

function putElement(batch: Batch, set: SetLayout, element: FilterElement, isAdd: boolean): void {
  const nest = beginNest(batch, NFTA_LIST_ELEM);
  putValue(batch, NFTA_SET_ELEM_KEY, keyInPlace(set, element));
  if (element.set === 'allowed_sources') putValue(batch, NFTA_SET_ELEM_KEY_END, lastKey(set, element));
  if (isAdd && isViewElement(element)) {
    const mark = new Uint8Array(4);
    writeMark(mark, element.mark);
    putValue(batch, NFTA_SET_ELEM_DATA, mark);
  }
  if (isAdd && 'comment' in element && element.comment !== undefined) putComment(batch, element.comment);
  endNest(batch, nest);
}

/**
 * A set of ranges alone (nft_set_rbtree) has two elements for each: its first address, and the one after its last, which
 * is left out where there is none.
 */
function putRange(batch: Batch, range: string): void {
  const { first, last } = boundsOf(range);
  const start = beginNest(batch, NFTA_LIST_ELEM);
  putValue(batch, NFTA_SET_ELEM_KEY, first);
  endNest(batch, start);
  const after = addressAfter(last);
  if (after === undefined) return;
  const end = beginNest(batch, NFTA_LIST_ELEM);
  putBe32(batch, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
  putValue(batch, NFTA_SET_ELEM_KEY, after);
  endNest(batch, end);
}

function putValue(batch: Batch, type: number, value: Uint8Array): void {
  const nest = beginNest(batch, type);
  putBytes(batch, NFTA_DATA_VALUE, value);
  endNest(batch, nest);
}

function writeAddress(text: string, key: Uint8Array, at: number): number {
  const length = writeAddressText(text, key, at);
  if (length === 0) throw new RangeError(`expected an address, found ${JSON.stringify(text)}`);
  return at + length;
}

/** Returns the number of bytes written. */
function writeFrontend(
  key: Uint8Array,
  frontend: { readonly address: string; readonly protocol: Protocol; readonly port: number },
): number {
  const at = writeAddress(frontend.address, key, 0);
  key[at] = protocolNumber(frontend.protocol);
  key[at + 4] = frontend.port >> 8;
  key[at + 5] = frontend.port & 0xff;
  return at + 8;
}

/** Marks are in host order (NFT_META_MARK); all our hosts are little-endian (see netlink/byte-order.ts). */
function writeMark(bytes: Uint8Array, mark: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, mark, true);
}

function putComment(batch: Batch, comment: string): void {
  const length = writeComment(commentInPlace, comment);
  putBytes(batch, NFTA_SET_ELEM_USERDATA, commentInPlace.subarray(0, length));
}

/** Type, length and text with its NUL; of the comment that is being written. */
const commentInPlace = Buffer.alloc(3 + longestComment);

/** Returns the number of bytes. */
function writeComment(into: Buffer, comment: string): number {
  const text = Buffer.byteLength(comment) <= longestComment ? undefined : cut(comment);
  const length = text === undefined ? into.write(comment, 2) : text.length;
  if (text !== undefined) into.set(text, 2);
  into[0] = NFTNL_UDATA_COMMENT;
  into[1] = length + 1;
  into[2 + length] = 0;
  return length + 3;
}

/** At most 127 bytes, and no half character at the end. */
function cut(comment: string): Uint8Array {
  const bytes = Buffer.from(comment, 'utf8');
  if (bytes.length <= longestComment) return bytes;
  let end = longestComment;
  // 10xxxxxx continues a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}
