import { addressBits } from '../../core/address.ts';
import type { Family } from '../../core/model/facts.ts';
import { readAddressText } from '../address-text.ts';
import {
  type AttributeCursor,
  messageAttributes,
  nestedAttributes,
  nextAttribute,
  readU32,
} from '../netlink/attribute-reader.ts';
import { type MessageCursor, payloadU8 } from '../netlink/message-reader.ts';
import { familyOfNumber } from './address-family.ts';
import { ipPosition } from './decode-address.ts';
import {
  RT_TABLE_LOCAL,
  RT_TABLE_MAIN,
  RTA_DST,
  RTA_METRICS,
  RTA_OIF,
  RTA_PREFSRC,
  RTAX_MTU,
  RTM_F_CLONED,
  RTM_NEWROUTE,
  RTN_LOCAL,
  RTN_UNICAST,
  routeHeaderLength,
} from './rtnetlink.ts';

/** A route of table `local` that makes a single address the node's, or an ordinary one of table `main` to a single address. */
export interface HostRoute {
  readonly address: string;
  /** RTPROT_* or a program's own. */
  readonly protocol: number;
  readonly source: string | undefined;
  /** 0 when the answer names none. */
  readonly interfaceIndex: number;
  readonly isLocal: boolean;
  /** Bytes; 0 when the route names none. */
  readonly mtu: number;
}

/** The same as it lies in what was received: where its addresses begin there, -1 for a source that it has not. */
export interface RouteInPlace extends Omit<HostRoute, 'address' | 'source'> {
  readonly family: Family;
  readonly addressAt: number;
  readonly sourceAt: number;
}

/** The route apart from what was received. */
export function copyHostRoute({ received: { bytes } }: MessageCursor, route: RouteInPlace): HostRoute {
  const { family, addressAt, sourceAt, protocol, interfaceIndex, isLocal, mtu } = route;
  const address = readAddressText(bytes, addressAt, family);
  const source = sourceAt < 0 ? undefined : readAddressText(bytes, sourceAt, family);
  return { address, protocol, source, interfaceIndex, isLocal, mtu };
}

/** Finds a local route of table `local` or an ordinary one of `main` to one address; undefined for every other message. Throws NetlinkDecodeError. */
export function locateHostRoute(message: MessageCursor): RouteInPlace | undefined {
  if (message.type !== RTM_NEWROUTE) return undefined;
  const family = familyOfNumber(payloadU8(message, 0));
  // A table's number above 255 is in RTA_TABLE, and then the header's is not `local` (rtm_table is RT_TABLE_COMPAT).
  const isLocal = payloadU8(message, 4) === RT_TABLE_LOCAL && payloadU8(message, 7) === RTN_LOCAL;
  const isOrdinary = payloadU8(message, 4) === RT_TABLE_MAIN && payloadU8(message, 7) === RTN_UNICAST;
  if (family === undefined || !(isLocal || isOrdinary)) return undefined;
  if (payloadU8(message, 1) !== addressBits(family) || isCloned(message)) return undefined;
  let addressAt = -1;
  let sourceAt = -1;
  let interfaceIndex = 0;
  let mtu = 0;
  const cursor = messageAttributes(message, routeHeaderLength);
  while (nextAttribute(cursor)) {
    if (cursor.type === RTA_DST) addressAt = ipPosition(cursor, family);
    else if (cursor.type === RTA_PREFSRC) sourceAt = ipPosition(cursor, family);
    else if (cursor.type === RTA_OIF) interfaceIndex = readU32(cursor);
    else if (cursor.type === RTA_METRICS) mtu = readMtu(nestedAttributes(cursor));
  }
  const protocol = protocolOf(message);
  return addressAt < 0 ? undefined : { family, addressAt, sourceAt, protocol, interfaceIndex, isLocal, mtu };
}

/** Who made the route of a route message: RTPROT_* or a program's own. */
export function protocolOf(message: MessageCursor): number {
  return payloadU8(message, 5);
}

function readMtu(metrics: AttributeCursor): number {
  let mtu = 0;
  while (nextAttribute(metrics)) if (metrics.type === RTAX_MTU) mtu = readU32(metrics);
  return mtu;
}

/** Entries of the route cache, which older kernels mix into a dump. */
function isCloned(message: MessageCursor): boolean {
  return ((payloadU8(message, 9) << 8) & RTM_F_CLONED) !== 0;
}
