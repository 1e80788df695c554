import { readIpAttribute } from '../link/decode-address.ts';
import { type Link, readLink } from '../link/decode-link.ts';
import { AF_INET, IFLA_INFO_KIND, IFLA_LINKINFO, linkHeaderLength } from '../link/rtnetlink.ts';
import {
  type AttributeCursor,
  messageAttributes,
  nestedAttributes,
  nextAttribute,
  readString,
  valueLength,
} from '../netlink/attribute-reader.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import {
  IFLA_AF_SPEC,
  IFLA_INET_CONF,
  IFLA_INFO_DATA,
  IFLA_IPTUN_LOCAL,
  IPV4_DEVCONF_ARP_ANNOUNCE,
  IPV4_DEVCONF_ARP_IGNORE,
  IPV4_DEVCONF_RP_FILTER,
} from './numbers.ts';

/** An interface with what matters of it to a tunnel. */
export interface Device extends Link {
  /** Of a tunnel: its own end. Undefined where it has none, and for other kinds. */
  readonly local: string | undefined;
  /** `net.ipv4.conf.NAME.*`; 0 where the interface has no IPv4. */
  readonly rpFilter: number;
  readonly arpIgnore: number;
  readonly arpAnnounce: number;
}

/** Reads an RTM_NEWLINK message; undefined for any other. Throws NetlinkDecodeError. */
export function readDevice(message: MessageCursor): Device | undefined {
  const link = readLink(message);
  if (link === undefined) return undefined;
  let local: string | undefined;
  let settings: readonly number[] = [];
  const cursor = messageAttributes(message, linkHeaderLength);
  while (nextAttribute(cursor)) {
    if (cursor.type === IFLA_LINKINFO) local = readLocal(cursor);
    else if (cursor.type === IFLA_AF_SPEC) settings = readIPv4Settings(cursor);
  }
  return {
    ...link,
    local,
    rpFilter: settings[IPV4_DEVCONF_RP_FILTER - 1] ?? 0,
    arpIgnore: settings[IPV4_DEVCONF_ARP_IGNORE - 1] ?? 0,
    arpAnnounce: settings[IPV4_DEVCONF_ARP_ANNOUNCE - 1] ?? 0,
  };
}

/** The kind comes before the data that it tells how to read (rtnl_link_info_fill). */
function readLocal(cursor: AttributeCursor): string | undefined {
  const information = nestedAttributes(cursor);
  let isTunnel = false;
  while (nextAttribute(information)) {
    if (information.type === IFLA_INFO_KIND) isTunnel = tunnelKinds.includes(readString(information));
    if (information.type !== IFLA_INFO_DATA || !isTunnel) continue;
    const data = nestedAttributes(information);
    while (nextAttribute(data)) {
      if (data.type === IFLA_IPTUN_LOCAL) return readIpAttribute(data, valueLength(data) === 4 ? 'IPv4' : 'IPv6');
    }
  }
  return undefined;
}

const tunnelKinds: readonly string[] = ['ipip', 'ip6tnl'];

/** One number for each setting, the first at index 0 (inet_fill_link_af in net/ipv4/devinet.c). */
function readIPv4Settings(cursor: AttributeCursor): readonly number[] {
  const families = nestedAttributes(cursor);
  while (nextAttribute(families)) {
    if (families.type !== AF_INET) continue;
    const ofFamily = nestedAttributes(families);
    while (nextAttribute(ofFamily)) {
      if (ofFamily.type === IFLA_INET_CONF) return readNumbers(ofFamily);
    }
  }
  return [];
}

function readNumbers(cursor: AttributeCursor): readonly number[] {
  const { view } = cursor.received;
  return Array.from({ length: valueLength(cursor) >> 2 }, (_, index) => view.getInt32(cursor.value + index * 4, true));
}
