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
import { addressHeaderLength, IFA_ADDRESS, IFA_FLAGS, IFA_LOCAL, RTM_DELADDR, RTM_NEWADDR } from './rtnetlink.ts';

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
  let flags = payloadU8(message, 2);
  let local: string | undefined;
  let peer: string | undefined;
  const cursor = messageAttributes(message, addressHeaderLength);
  while (nextAttribute(cursor)) {
    // On a point-to-point interface IFA_ADDRESS is the other end, IFA_LOCAL this one; IPv6 gives IFA_ADDRESS alone.
    if (cursor.type === IFA_LOCAL) local = readIpAttribute(cursor, family);
    else if (cursor.type === IFA_ADDRESS) peer = readIpAttribute(cursor, family);
    else if (cursor.type === IFA_FLAGS) flags = readU32(cursor);
  }
  const address = local ?? peer;
  if (address === undefined) return undefined;
  const [prefixLength, scope] = [payloadU8(message, 1), payloadU8(message, 3)];
  return { interfaceIndex: interfaceIndexOf(message), address, prefixLength, scope, flags, isGone };
}

/** The interface of an address message. */
export function interfaceIndexOf(message: MessageCursor): number {
  return payloadI32(message, 4);
}

/** fe80::/10: the kernel's own on every interface with IPv6. */
export function isLinkLocal(address: string): boolean {
  return address.startsWith('fe') && /^fe[89ab]/.test(address);
}

/** Reads an attribute that holds an address of `family`. Throws NetlinkDecodeError when it is too short. */
export function readIpAttribute(cursor: AttributeCursor, family: Family): string {
  const wanted = family === 'IPv4' ? 4 : 16;
  if (valueLength(cursor) < wanted) throw new NetlinkDecodeError('an address is cut short', cursor.value);
  return readAddressText(cursor.received.bytes, cursor.value, family);
}
