import type { Family } from '../../core/model/facts.ts';
import { readAddressText } from '../address-text.ts';
import {
  type AttributeCursor,
  messageAttributes,
  nextAttribute,
  readU32,
  valueLength,
} from '../netlink/attribute-reader.ts';
import { NetlinkDecodeError } from '../netlink/decode-error.ts';
import { type MessageCursor, payloadI32, payloadU8 } from '../netlink/message-reader.ts';
import { familyOfNumber } from './address-family.ts';
import {
  AF_INET6,
  addressHeaderLength,
  IFA_ADDRESS,
  IFA_FLAGS,
  IFA_LOCAL,
  RT_SCOPE_LINK,
  RTM_DELADDR,
  RTM_NEWADDR,
} from './rtnetlink.ts';

/** One address of one interface, as the kernel tells it. */
export interface LinkAddress {
  readonly interfaceIndex: number;
  readonly address: string;
  readonly prefixLength: number;
  /** RT_SCOPE_*. */
  readonly scope: number;
  /** IFA_F_*. */
  readonly flags: number;
  /** The message tells that it went. */
  readonly isGone: boolean;
}

/** Reads an RTM_NEWADDR or RTM_DELADDR message; undefined for any other and for families other than IP. Throws NetlinkDecodeError. */
export function readLinkAddress(message: MessageCursor): LinkAddress | undefined {
  const isGone = message.type === RTM_DELADDR;
  if (message.type !== RTM_NEWADDR && !isGone) return undefined;
  const family = familyOfNumber(payloadU8(message, 0));
  if (family === undefined) return undefined;
  const at = addressPosition(message, family);
  if (at < 0) return undefined;
  const address = readAddressText(message.received.bytes, at, family);
  const [interfaceIndex, prefixLength, scope] = [
    interfaceIndexOf(message),
    payloadU8(message, 1),
    payloadU8(message, 3),
  ];
  return { interfaceIndex, address, prefixLength, scope, flags: readFlags(message), isGone };
}

/** Where the address of an address message begins in what was received; -1 when it has none. Throws NetlinkDecodeError. */
export function addressPosition(message: MessageCursor, family: Family): number {
  let local = -1;
  let peer = -1;
  const cursor = messageAttributes(message, addressHeaderLength);
  while (nextAttribute(cursor)) {
    // On a point-to-point interface IFA_ADDRESS is the other end, IFA_LOCAL this one; IPv6 gives IFA_ADDRESS alone.
    if (cursor.type === IFA_LOCAL) local = ipPosition(cursor, family);
    else if (cursor.type === IFA_ADDRESS) peer = ipPosition(cursor, family);
  }
  return local < 0 ? peer : local;
}

/** IFA_F_*: the header has room for eight bits of them alone. */
function readFlags(message: MessageCursor): number {
  let flags = payloadU8(message, 2);
  const cursor = messageAttributes(message, addressHeaderLength);
  while (nextAttribute(cursor)) if (cursor.type === IFA_FLAGS) flags = readU32(cursor);
  return flags;
}

/** The interface of an address message. */
export function interfaceIndexOf(message: MessageCursor): number {
  return payloadI32(message, 4);
}

/** Whether an address message is about an IPv6 link-local one, of which the kernel has the scope say so (net/ipv6/addrconf.c). */
export function tellsLinkLocal(message: MessageCursor): boolean {
  return payloadU8(message, 0) === AF_INET6 && payloadU8(message, 3) === RT_SCOPE_LINK;
}

/** fe80::/10: the kernel's own on every interface with IPv6. */
export function isLinkLocal(address: string): boolean {
  return address.startsWith('fe') && /^fe[89ab]/.test(address);
}

/** Reads an attribute that holds an address of `family`. Throws NetlinkDecodeError when it is too short. */
export function readIpAttribute(cursor: AttributeCursor, family: Family): string {
  return readAddressText(cursor.received.bytes, ipPosition(cursor, family), family);
}

/** Where the value of an attribute that holds an address of `family` begins. Throws NetlinkDecodeError when it is too short. */
export function ipPosition(cursor: AttributeCursor, family: Family): number {
  const wanted = family === 'IPv4' ? 4 : 16;
  if (valueLength(cursor) < wanted) throw new NetlinkDecodeError('an address is cut short', cursor.value);
  return cursor.value;
}
