/** Which sets and chains the kernel has in sluice's table, be they of this version or of another. */

import { errno, isKernelError } from '../error.ts';
import { messageAttributes, nextAttribute, readBe32, readString } from '../netlink/attribute-reader.ts';
import { putString } from '../netlink/attribute-writer.ts';
import { type Batch, beginMessage, createBatch, endMessage, putNetfilterHeader } from '../netlink/batch.ts';
import { netfilterHeaderLength } from '../netlink/constants.ts';
import { dump } from '../netlink/dump.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import {
  NFPROTO_INET,
  NFT_MSG_GETCHAIN,
  NFT_MSG_GETSET,
  NFT_MSG_NEWCHAIN,
  NFT_MSG_NEWSET,
  NFT_SET_ANONYMOUS,
  NFT_SET_INTERVAL,
  NFT_SET_MAP,
  NFTA_CHAIN_NAME,
  NFTA_CHAIN_TABLE,
  NFTA_SET_DATA_TYPE,
  NFTA_SET_FLAGS,
  NFTA_SET_KEY_TYPE,
  NFTA_SET_NAME,
  NFTA_SET_TABLE,
} from './constants.ts';
import { type FieldType, hasRanges, keyFields, type SetLayout, tableName } from './set-layout.ts';

/** A set as the kernel has it. */
export interface FoundSet {
  readonly name: string;
  /** The fields of its keys; undefined when one of them is of a type that no version of sluice had. */
  readonly fields: readonly FieldType[] | undefined;
  readonly hasRanges: boolean;
  readonly isMap: boolean;
  /** Of a map: whether its data are marks. */
  readonly hasMarks: boolean;
}

/** The named sets of the table; none without a table. Throws KernelError. */
export function readSets(socket: NetlinkSocket): ReadonlyMap<string, FoundSet> {
  try {
    const found = dump(socket, 'dump sets', ask(NFT_MSG_GETSET, NFTA_SET_TABLE), readSet);
    return new Map(found.map((set) => [set.name, set]));
  } catch (thrown) {
    if (isKernelError(thrown) && thrown.errno === errno.ENOENT) return new Map();
    throw thrown;
  }
}

/** The names of the chains of the table; none without a table. Throws KernelError. */
export function readChainNames(socket: NetlinkSocket): readonly string[] {
  // The kernel tells of the chains of every table when it is asked for those of one (nf_tables_dump_chains).
  return dump(socket, 'dump chains', ask(NFT_MSG_GETCHAIN, NFTA_CHAIN_TABLE), (message) => {
    if (message.type !== NFT_MSG_NEWCHAIN) return undefined;
    let table = '';
    let name: string | undefined;
    const cursor = messageAttributes(message, netfilterHeaderLength);
    while (nextAttribute(cursor)) {
      if (cursor.type === NFTA_CHAIN_TABLE) table = readString(cursor);
      else if (cursor.type === NFTA_CHAIN_NAME) name = readString(cursor);
    }
    return table === tableName ? name : undefined;
  });
}

/** Whether a set is of the type that this version gives it. */
export function isOfLayout(found: FoundSet, layout: SetLayout): boolean {
  return (
    found.fields?.join() === keyFields(layout).join() &&
    found.hasRanges === hasRanges(layout) &&
    found.isMap === layout.isMap &&
    (!layout.isMap || found.hasMarks)
  );
}

function ask(type: number, tableAttribute: number): Batch {
  const batch = createBatch(128);
  beginMessage(batch, type, 0);
  putNetfilterHeader(batch, NFPROTO_INET, 0, 0);
  putString(batch, tableAttribute, tableName);
  endMessage(batch);
  return batch;
}

function readSet(message: MessageCursor): FoundSet | undefined {
  if (message.type !== NFT_MSG_NEWSET) return undefined;
  let [name, flags, keyType, dataType] = ['', 0, 0, 0];
  const cursor = messageAttributes(message, netfilterHeaderLength);
  while (nextAttribute(cursor)) {
    if (cursor.type === NFTA_SET_NAME) name = readString(cursor);
    else if (cursor.type === NFTA_SET_FLAGS) flags = readBe32(cursor);
    else if (cursor.type === NFTA_SET_KEY_TYPE) keyType = readBe32(cursor);
    else if (cursor.type === NFTA_SET_DATA_TYPE) dataType = readBe32(cursor);
  }
  // One that stands in a rule goes with it.
  if ((flags & NFT_SET_ANONYMOUS) !== 0) return undefined;
  return {
    name,
    fields: fieldsOf(keyType),
    hasRanges: (flags & NFT_SET_INTERVAL) !== 0,
    isMap: (flags & NFT_SET_MAP) !== 0,
    hasMarks: fieldTypes.get(dataType) === 'mark',
  };
}

/** nft's numbers of types (include/datatype.h of nftables); the kernel keeps them for it. */
const fieldTypes: ReadonlyMap<number, FieldType> = new Map([
  [7, 'ipv4_addr'],
  [8, 'ipv6_addr'],
  [12, 'inet_proto'],
  [13, 'inet_service'],
  [19, 'mark'],
]);

/** The type of a concatenation has six bits for each field, the last one lowest (TYPE_BITS). */
function fieldsOf(keyType: number): readonly FieldType[] | undefined {
  const fields: FieldType[] = [];
  for (let rest = keyType; rest !== 0; rest >>>= 6) {
    const field = fieldTypes.get(rest & 0x3f);
    if (field === undefined) return undefined;
    fields.unshift(field);
  }
  return fields;
}
