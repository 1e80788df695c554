import {
  messageAttributes,
  nestedAttributes,
  nextAttribute,
  readString,
  readU32,
} from '../netlink/attribute-reader.ts';
import { type MessageCursor, payloadI32, payloadU32 } from '../netlink/message-reader.ts';
import {
  IFF_UP,
  IFLA_IFALIAS,
  IFLA_IFNAME,
  IFLA_INFO_KIND,
  IFLA_LINKINFO,
  IFLA_MTU,
  linkHeaderLength,
  RTM_NEWLINK,
} from './rtnetlink.ts';

/** A network interface. */
export interface Link {
  readonly index: number;
  readonly name: string;
  readonly alias: string;
  /** `dummy`, `veth` ...; '' when the kernel gives none. */
  readonly kind: string;
  readonly isUp: boolean;
  /** Bytes; 0 when the answer names none. */
  readonly mtu: number;
}

/** Reads an RTM_NEWLINK message; undefined for any other. Throws NetlinkDecodeError. */
export function readLink(message: MessageCursor): Link | undefined {
  if (message.type !== RTM_NEWLINK) return undefined;
  let name = '';
  let alias = '';
  let kind = '';
  let mtu = 0;
  const cursor = messageAttributes(message, linkHeaderLength);
  while (nextAttribute(cursor)) {
    if (cursor.type === IFLA_IFNAME) name = readString(cursor);
    else if (cursor.type === IFLA_MTU) mtu = readU32(cursor);
    else if (cursor.type === IFLA_IFALIAS) alias = readString(cursor);
    else if (cursor.type === IFLA_LINKINFO) {
      const information = nestedAttributes(cursor);
      while (nextAttribute(information)) if (information.type === IFLA_INFO_KIND) kind = readString(information);
    }
  }
  return { index: payloadI32(message, 4), name, alias, kind, isUp: (payloadU32(message, 8) & IFF_UP) !== 0, mtu };
}
