/** Reads the VIPs back: addresses on the VIP interface, sluice's local routes and those of steered VIPs. */

import type { Expected } from '../../core/actual.ts';
import { familyOf } from '../../core/address.ts';
import { encapsulations } from '../../core/model/pod-tunnel.ts';
import type { VipState } from '../../core/model/vip.ts';
import { endsStep, finish, type Steps } from '../../core/steps.ts';
import { dumpSteps, type PreparedReader } from '../netlink/dump.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { interfaceIndexOf, type LinkAddress, readLinkAddress, tellsLinkLocal } from './decode-address.ts';
import { type HostRoute, protocolOf } from './decode-route.ts';
import {
  type ExpectedVips,
  expectNoVips,
  fillExpectedVips,
  recogniseAddress,
  recogniseRoute,
} from './expected-vips.ts';
import { type FoundVips, foundNothing, noteAddress, noteLocalRoute, noteSteeredRoute, statesOf } from './found-vips.ts';
import { routeProtocol } from './identity.ts';
import { question } from './link-message.ts';
import { addressHeaderLength, RTM_GETADDR, RTM_GETROUTE, routeHeaderLength } from './rtnetlink.ts';
import { steeredFamilies } from './steering.ts';
import { readTunnelMtu } from './tunnel-mtu.ts';

/** Where VIPs are, and what brings packets to those that are steered. */
export interface VipPlace {
  readonly interfaceIndex: number;
  readonly steeringMark: number;
}

/** Every address on the interface but IPv6 link-local ones, and every route of sluice's. Throws KernelError. */
export function dumpVips(socket: NetlinkSocket, place: VipPlace): readonly VipState[] {
  return [...finish(readVips(socket, place, function* () {})).values()];
}

/** The same in steps, by `vipKey`. Nothing else may use the socket between them. */
export function* readVips(
  socket: NetlinkSocket,
  place: VipPlace,
  eachVip: Expected['eachVip'],
): Steps<Map<string, VipState>> {
  const expected = expectNoVips();
  const addresses = yield* dumpVipAddresses(socket, place, { expected, eachVip });
  yield;
  const routes = yield* dumpHostRoutes(socket, { expected, eachVip });
  yield;
  const found = foundNothing(expected);
  let nth = 0;
  for (const address of addresses) {
    noteAddress(found, address);
    if (endsStep(nth, stepVips)) yield;
    nth += 1;
  }
  const steered: HostRoute[] = [];
  for (const route of routes) {
    if (typeof route === 'number' || route.isLocal) noteLocalRoute(found, route);
    else if (route.protocol === routeProtocol && route.interfaceIndex === place.interfaceIndex) steered.push(route);
    if (endsStep(nth, stepVips)) yield;
    nth += 1;
  }
  yield;
  noteSteered(socket, found, steered, place.steeringMark);
  return yield* statesOf(found);
}

const stepVips = 1_000;

function noteSteered(
  socket: NetlinkSocket,
  found: FoundVips,
  steered: readonly HostRoute[],
  steeringMark: number,
): void {
  if (steered.length === 0) return;
  const standing = steeredFamilies(socket, steeringMark);
  const tunnelMtu = readTunnelMtu(socket);
  for (const route of steered) {
    const family = familyOf(route.address);
    const hasMtu = encapsulations.some((each) => route.mtu === tunnelMtu(family, each));
    noteSteeredRoute(found, route, hasMtu && standing.has(family));
  }
}

interface Expecting {
  /** Filled once something is found that may be one of them. */
  readonly expected: ExpectedVips;
  readonly eachVip: Expected['eachVip'];
}

/** The positions of those that are expected, and the others. */
function dumpVipAddresses(
  socket: NetlinkSocket,
  { interfaceIndex }: VipPlace,
  { expected, eachVip }: Expecting,
): Steps<readonly (number | string)[]> {
  // There may be ten thousand on the VIP interface, and a container each on others: nothing more is read of those.
  const isVip = (message: MessageCursor) => interfaceIndexOf(message) === interfaceIndex && !tellsLinkLocal(message);
  const reader: PreparedReader<number | string> = {
    prepare: () => fillExpectedVips(expected, eachVip),
    concerns: isVip,
    read: (message) => (isVip(message) ? recogniseAddress(expected, message) : undefined),
  };
  return dumpSteps(socket, dumpingAddresses, question(RTM_GETADDR, addressHeaderLength), reader);
}

/**
 * Local routes to single addresses, and ordinary ones; the positions of VIPs that are expected with such a route. The kernel
 * lists the routes to one address in the order in which it looks them up, so the first one is in force: another's in front
 * of sluice's (the kernel adds its own again when an interface went down and up) shows by its source.
 */
function dumpHostRoutes(
  socket: NetlinkSocket,
  { expected, eachVip }: Expecting,
): Steps<readonly (number | HostRoute)[]> {
  const reader: PreparedReader<number | HostRoute> = {
    prepare: () => fillExpectedVips(expected, eachVip),
    concerns: (message) => protocolOf(message) === routeProtocol,
    read: (message) => recogniseRoute(expected, message),
  };
  return dumpSteps(socket, 'dump local routes', question(RTM_GETROUTE, routeHeaderLength), reader);
}

/** Every address of interfaces with such an index, in both families. Throws KernelError. */
export function dumpAddresses(
  socket: NetlinkSocket,
  concerns: (interfaceIndex: number) => boolean = () => true,
): readonly LinkAddress[] {
  return finish(readAddresses(socket, concerns));
}

/** The same in steps. Nothing else may use the socket between them. */
export function readAddresses(
  socket: NetlinkSocket,
  concerns: (interfaceIndex: number) => boolean,
): Steps<readonly LinkAddress[]> {
  // There may be ten thousand on the VIP interface: nothing more is read of what is not asked for.
  return dumpSteps(socket, dumpingAddresses, question(RTM_GETADDR, addressHeaderLength), (message) =>
    concerns(interfaceIndexOf(message)) ? readLinkAddress(message) : undefined,
  );
}

const dumpingAddresses = 'dump addresses';
