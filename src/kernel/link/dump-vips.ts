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
  const found = new Map<string, FoundVip>();
  for (const { address, interfaceIndex: index } of dumpAddresses(socket)) {
    if (index === interfaceIndex && !isLinkLocal(address)) foundOf(found, address).onInterface = true;
  }
  // Thousands of routes have one source: one string is kept of it.
  const sources = new Map<string, string>();
  for (const { address, protocol, source } of dumpHostRoutes(socket)) {
    const vip = foundOf(found, address);
    if (!vip.hasRoute && source !== undefined) vip.source = internedIn(sources, source);
    vip.hasRoute = true;
    vip.routed ||= protocol === routeProtocol;
  }
  return [...found.values()].filter(({ onInterface, routed }) => onInterface || routed).map(vipState);
}

/** An address with what was read of it so far; a local route alone may be the kernel's for an address of the node. */
interface FoundVip {
  readonly address: string;
  onInterface: boolean;
  routed: boolean;
  hasRoute: boolean;
  /** Of the first route. */
  source: string | undefined;
}

function foundOf(found: Map<string, FoundVip>, address: string): FoundVip {
  let vip = found.get(address);
  if (vip === undefined) {
    vip = { address, onInterface: false, routed: false, hasRoute: false, source: undefined };
    found.set(address, vip);
  }
  return vip;
}

function internedIn(known: Map<string, string>, text: string): string {
  const there = known.get(text);
  if (there === undefined) known.set(text, text);
  return there ?? text;
}

function vipState({ address, onInterface, routed, source }: FoundVip): VipState {
  return { address, onInterface, routed, source };
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
