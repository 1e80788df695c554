/** Which way the kernel would send a packet, and with which source. */

import { addressBits, addressBytes, familyOf } from '../../core/address.ts';
import type { Family } from '../../core/model/facts.ts';
import { type ErrnoCode, isKernelError } from '../error.ts';
import { messageAttributes, nextAttribute, readU32 } from '../netlink/attribute-reader.ts';
import { putBytes } from '../netlink/attribute-writer.ts';
import { type Batch, beginMessage, createBatch, endMessage, putHeader } from '../netlink/batch.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import { request } from '../netlink/request.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { familyNumber, familyOfNumber } from './address-family.ts';
import { readIpAttribute } from './decode-address.ts';
import { RTA_DST, RTA_OIF, RTA_PREFSRC, RTM_GETROUTE, RTM_NEWROUTE, routeHeaderLength } from './rtnetlink.ts';

/**
 * Destinations that only a default route leads to: the IPv4 dummy address (RFC 7600) and one of the range that ORCHID
 * gave back (RFC 4843). Nothing is sent there; the kernel is asked what it would do.
 */
const farAway: Readonly<Record<Family, string>> = { IPv4: '192.0.0.8', IPv6: '2001:10::1' };

/** How the kernel says that no route leads there: none, unreachable, prohibit, blackhole, or no such family. */
const noRoute: readonly ErrnoCode[] = [
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EACCES',
  'EINVAL',
  'ENETDOWN',
  'EAFNOSUPPORT',
  'EOPNOTSUPP',
];

interface RouteTowards {
  /** Undefined when the route names none: there is no address of the family. */
  readonly source: string | undefined;
  readonly interfaceIndex: number | undefined;
}

/** Undefined without a default route. Throws KernelError. */
export function readDefaultSource(socket: NetlinkSocket, family: Family): string | undefined {
  return readRouteTowards(socket, farAway[family])?.source;
}

/** The interface of the default route; undefined without one. Throws KernelError. */
export function readDefaultInterface(socket: NetlinkSocket, family: Family): number | undefined {
  return readRouteTowards(socket, farAway[family])?.interfaceIndex;
}

/** Undefined when no route leads there. Throws KernelError. */
export function readRouteTowards(socket: NetlinkSocket, address: string): RouteTowards | undefined {
  try {
    return request(socket, `find the route towards ${address}`, question(address), readRoute)[0];
  } catch (thrown) {
    if (isKernelError(thrown) && noRoute.includes(thrown.code)) return undefined;
    throw thrown;
  }
}

function question(address: string): Batch {
  const family = familyOf(address);
  const batch = createBatch(64);
  const header = new Uint8Array(routeHeaderLength);
  header[0] = familyNumber(family);
  header[1] = addressBits(family);
  beginMessage(batch, RTM_GETROUTE, 0);
  putHeader(batch, header);
  putBytes(batch, RTA_DST, addressBytes(address));
  endMessage(batch);
  return batch;
}

function readRoute(message: MessageCursor): RouteTowards | undefined {
  if (message.type !== RTM_NEWROUTE) return undefined;
  const family = familyOfNumber(message.received.view.getUint8(message.payload));
  if (family === undefined) return undefined;
  let source: string | undefined;
  let interfaceIndex: number | undefined;
  const cursor = messageAttributes(message, routeHeaderLength);
  while (nextAttribute(cursor)) {
    if (cursor.type === RTA_PREFSRC) source = readIpAttribute(cursor, family);
    else if (cursor.type === RTA_OIF) interfaceIndex = readU32(cursor);
  }
  return { source, interfaceIndex };
}
