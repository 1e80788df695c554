/** Reads the VIPs back: addresses on the VIP interface and sluice's local routes. */

import type { VipState } from '../../core/model/vip.ts';
import { type Batch, beginMessage, createBatch, endMessage, putHeader } from '../netlink/batch.ts';
import { dump } from '../netlink/dump.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { isLinkLocal, type LinkAddress, readLinkAddress } from './decode-address.ts';
import { type HostRoute, readHostRoute } from './decode-route.ts';
import { routeProtocol } from './identity.ts';
import { AF_UNSPEC, addressHeaderLength, RTM_GETADDR, RTM_GETROUTE, routeHeaderLength } from './rtnetlink.ts';

/** Every address on the interface but IPv6 link-local ones, and every route of sluice's. Throws KernelError. */
export function dumpVips(socket: NetlinkSocket, interfaceIndex: number): readonly VipState[] {
  const onInterface = new Set<string>();
  for (const each of dumpAddresses(socket)) {
    if (each.interfaceIndex === interfaceIndex && !isLinkLocal(each.address)) onInterface.add(each.address);
  }
  const routes = dumpHostRoutes(socket);
  const routed = new Set<string>();
  const effective = new Map<string, HostRoute>();
  for (const route of routes) {
    if (route.protocol === routeProtocol) routed.add(route.address);
    if (!effective.has(route.address)) effective.set(route.address, route);
  }
  return [...new Set([...onInterface, ...routed])].map((address) => ({
    address,
    onInterface: onInterface.has(address),
    routed: routed.has(address),
    source: effective.get(address)?.source,
  }));
}

/** Every address of the network namespace, in both families. Throws KernelError. */
export function dumpAddresses(socket: NetlinkSocket): readonly LinkAddress[] {
  return dump(socket, 'dump addresses', question(RTM_GETADDR, addressHeaderLength), readLinkAddress);
}

/**
 * Local routes to single addresses. The kernel lists the routes to one address in the order in which it looks them up,
 * so the first one is in force: another's in front of sluice's (the kernel adds its own again when an interface went
 * down and up) shows by its source.
 */
function dumpHostRoutes(socket: NetlinkSocket): readonly HostRoute[] {
  return dump(socket, 'dump local routes', question(RTM_GETROUTE, routeHeaderLength), readHostRoute);
}

function question(type: number, headerLength: number): Batch {
  const batch = createBatch(64);
  const header = new Uint8Array(headerLength);
  header[0] = AF_UNSPEC;
  beginMessage(batch, type, 0);
  putHeader(batch, header);
  endMessage(batch);
  return batch;
}
