/** Reads what ctnetlink answers. */

import { readAddress } from '../../core/address.ts';
import type { Family } from '../../core/model/facts.ts';
import type { FlowEnd, UdpFlow } from '../../core/model/flow.ts';
import { familyOfNumber } from '../link/address-family.ts';
import {
  type AttributeCursor,
  messageAttributes,
  nestedAttributes,
  nextAttribute,
  readBe16,
  readBe32,
  readU8,
  valueLength,
} from '../netlink/attribute-reader.ts';
import { netfilterHeaderLength } from '../netlink/constants.ts';
import { NetlinkDecodeError } from '../netlink/decode-error.ts';
import { type MessageCursor, payloadU8 } from '../netlink/message-reader.ts';
import { IPPROTO_UDP } from '../nft/constants.ts';
import {
  CTA_ID,
  CTA_IP_V4_DST,
  CTA_IP_V4_SRC,
  CTA_IP_V6_DST,
  CTA_IP_V6_SRC,
  CTA_PROTO_DST_PORT,
  CTA_PROTO_NUM,
  CTA_PROTO_SRC_PORT,
  CTA_TUPLE_IP,
  CTA_TUPLE_ORIG,
  CTA_TUPLE_PROTO,
  CTA_TUPLE_REPLY,
  CTA_TUPLE_ZONE,
  CTA_ZONE,
  IPCTNL_MSG_CT_NEW,
} from './constants.ts';

/**
 * The UDP flow of one answer to a dump. Undefined for other protocols, and for flows in a zone: IPVS and address
 * translation for Services work in the default one, which is not named. Throws NetlinkDecodeError.
 */
export function readFlow(message: MessageCursor): UdpFlow | undefined {
  if (message.type !== IPCTNL_MSG_CT_NEW) return undefined;
  const cursor = messageAttributes(message, netfilterHeaderLength);
  const family = familyOfNumber(payloadU8(message, 0));
  if (family === undefined) return undefined;
  let original: Tuple | undefined;
  let reply: Tuple | undefined;
  let id: number | undefined;
  while (nextAttribute(cursor)) {
    if (cursor.type === CTA_TUPLE_ORIG) original = readTuple(cursor, family);
    else if (cursor.type === CTA_TUPLE_REPLY) reply = readTuple(cursor, family);
    else if (cursor.type === CTA_ID) id = readBe32(cursor);
    else if (cursor.type === CTA_ZONE) return undefined;
  }
  if (original === undefined || reply === undefined || id === undefined) return undefined;
  return { id, source: original.source, destination: original.destination, replySource: reply.source };
}

interface Tuple {
  readonly source: FlowEnd;
  readonly destination: FlowEnd;
}

interface Ports {
  readonly source: number;
  readonly destination: number;
}

interface Addresses {
  readonly source: string;
  readonly destination: string;
}

function readTuple(outer: AttributeCursor, family: Family): Tuple | undefined {
  let addresses: Addresses | undefined;
  let ports: Ports | undefined;
  const cursor = nestedAttributes(outer);
  while (nextAttribute(cursor)) {
    if (cursor.type === CTA_TUPLE_IP) addresses = readAddresses(cursor, family);
    else if (cursor.type === CTA_TUPLE_PROTO) ports = readUdpPorts(cursor);
    else if (cursor.type === CTA_TUPLE_ZONE) return undefined;
  }
  if (addresses === undefined || ports === undefined) return undefined;
  return {
    source: { address: addresses.source, port: ports.source },
    destination: { address: addresses.destination, port: ports.destination },
  };
}

function readAddresses(outer: AttributeCursor, family: Family): Addresses | undefined {
  const [from, to] = family === 'IPv4' ? [CTA_IP_V4_SRC, CTA_IP_V4_DST] : [CTA_IP_V6_SRC, CTA_IP_V6_DST];
  let source: string | undefined;
  let destination: string | undefined;
  const cursor = nestedAttributes(outer);
  while (nextAttribute(cursor)) {
    if (cursor.type === from) source = readAddressValue(cursor, family);
    else if (cursor.type === to) destination = readAddressValue(cursor, family);
  }
  return source === undefined || destination === undefined ? undefined : { source, destination };
}

function readAddressValue(cursor: AttributeCursor, family: Family): string {
  if (valueLength(cursor) < (family === 'IPv4' ? 4 : 16)) {
    throw new NetlinkDecodeError('an address is cut short', cursor.value);
  }
  return readAddress(cursor.received.bytes, cursor.value, family);
}

/** Undefined for any other protocol. */
function readUdpPorts(outer: AttributeCursor): Ports | undefined {
  let protocol: number | undefined;
  let source: number | undefined;
  let destination: number | undefined;
  const cursor = nestedAttributes(outer);
  while (nextAttribute(cursor)) {
    if (cursor.type === CTA_PROTO_NUM) protocol = readU8(cursor);
    else if (cursor.type === CTA_PROTO_SRC_PORT) source = readBe16(cursor);
    else if (cursor.type === CTA_PROTO_DST_PORT) destination = readBe16(cursor);
  }
  if (protocol !== IPPROTO_UDP || source === undefined || destination === undefined) return undefined;
  return { source, destination };
}
