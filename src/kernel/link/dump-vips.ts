/** Reads the VIPs back: addresses on the VIP interface, sluice's local routes and those of steered VIPs. */

import { familyOf } from '../../core/address.ts';
import { LargeList, type LongList } from '../../core/large-list.ts';
import { LargeMap } from '../../core/large-map.ts';
import { encapsulations } from '../../core/model/pod-tunnel.ts';
import type { VipState } from '../../core/model/vip.ts';
import { endsStep, finish, type Steps } from '../../core/steps.ts';
import { dumpSteps } from '../netlink/dump.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { interfaceIndexOf, isLinkLocal, type LinkAddress, readLinkAddress } from './decode-address.ts';
import { type HostRoute, readHostRoute } from './decode-route.ts';
import { routeProtocol } from './identity.ts';
import { question } from './link-message.ts';
import { addressHeaderLength, RTM_GETADDR, RTM_GETROUTE, routeHeaderLength } from './rtnetlink.ts';
import { steeredFamilies } from './steering.ts';
import { readTunnelMtu } from './tunnel-mtu.ts';

/** Every address on the interface but IPv6 link-local ones, and every route of sluice's. Throws KernelError. */
export function dumpVips(socket: NetlinkSocket, interfaceIndex: number, steeringMark: number): readonly VipState[] {
  return [...finish(readVips(socket, interfaceIndex, steeringMark))];
}

/** The same in steps. Nothing else may use the socket between them. */
export function* readVips(
  socket: NetlinkSocket,
  interfaceIndex: number,
  steeringMark: number,
): Steps<LongList<VipState>> {
  const found = new LargeMap<FoundVip>();
  let nth = 0;
  for (const { address } of yield* readAddresses(socket, (index) => index === interfaceIndex)) {
    if (!isLinkLocal(address)) foundOf(found, address).onInterface = true;
    if (endsStep(nth, stepVips)) yield;
    nth += 1;
  }
  yield;
  // Thousands of routes have one source: one string is kept of it.
  const sources = new Map<string, string>();
  const steered: HostRoute[] = [];
  for (const route of yield* dumpHostRoutes(socket)) {
    if (!route.isLocal) {
      if (route.protocol === routeProtocol && route.interfaceIndex === interfaceIndex) steered.push(route);
    } else {
      const vip = foundOf(found, route.address);
      noteSource(vip, sources, route);
      vip.routed ||= route.protocol === routeProtocol;
    }
    if (endsStep(nth, stepVips)) yield;
    nth += 1;
  }
  yield;
  noteSteered(socket, found, { sources, steered, steeringMark });
  return yield* statesOf(found.values());
}

/** A route alone may be the kernel's, for an address of the node. */
function* statesOf(found: Iterable<FoundVip>): Steps<LongList<VipState>> {
  const states = new LargeList<VipState>();
  let nth = 0;
  for (const vip of found) {
    if (vip.onInterface || vip.routed || vip.isSteered) states.push(vipState(vip));
    if (endsStep(nth, stepVips)) yield;
    nth += 1;
  }
  return states;
}

const stepVips = 1_000;

/** The first route to an address is in force. */
function noteSource(vip: FoundVip, sources: Map<string, string>, { source }: HostRoute): void {
  if (!vip.hasRoute && source !== undefined) vip.source = internedIn(sources, source);
  vip.hasRoute = true;
}

/** A steered VIP is whole when nothing makes it local and what steers is there. */
function noteSteered(
  socket: NetlinkSocket,
  found: Map<string, FoundVip>,
  {
    sources,
    steered,
    steeringMark,
  }: {
    readonly sources: Map<string, string>;
    readonly steered: readonly HostRoute[];
    readonly steeringMark: number;
  },
): void {
  if (steered.length === 0) return;
  const standing = steeredFamilies(socket, steeringMark);
  const tunnelMtu = readTunnelMtu(socket);
  for (const route of steered) {
    const vip = foundOf(found, route.address);
    const family = familyOf(route.address);
    const isWhole =
      !vip.hasRoute && standing.has(family) && encapsulations.some((each) => route.mtu === tunnelMtu(family, each));
    noteSource(vip, sources, route);
    vip.isSteered = true;
    vip.routed = isWhole && (vip.onInterface || family === 'IPv6');
  }
}

/** An address with what was read of it so far; a local route alone may be the kernel's for an address of the node. */
interface FoundVip {
  readonly address: string;
  onInterface: boolean;
  routed: boolean;
  isSteered: boolean;
  hasRoute: boolean;
  /** Of the first route. */
  source: string | undefined;
}

function foundOf(found: Map<string, FoundVip>, address: string): FoundVip {
  let vip = found.get(address);
  if (vip === undefined) {
    vip = { address, onInterface: false, routed: false, isSteered: false, hasRoute: false, source: undefined };
    found.set(address, vip);
  }
  return vip;
}

function internedIn(known: Map<string, string>, text: string): string {
  const there = known.get(text);
  if (there === undefined) known.set(text, text);
  return there ?? text;
}

function vipState({ address, onInterface, routed, source, isSteered }: FoundVip): VipState {
  return isSteered ? { address, onInterface, routed, source, isSteered } : { address, onInterface, routed, source };
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
  return dumpSteps(socket, 'dump addresses', question(RTM_GETADDR, addressHeaderLength), (message) =>
    concerns(interfaceIndexOf(message)) ? readLinkAddress(message) : undefined,
  );
}

/**
 * Local routes to single addresses, and ordinary ones. The kernel lists the routes to one address in the order in which it looks them up,
 * so the first one is in force: another's in front of sluice's (the kernel adds its own again when an interface went
 * down and up) shows by its source.
 */
function dumpHostRoutes(socket: NetlinkSocket): Steps<readonly HostRoute[]> {
  return dumpSteps(socket, 'dump local routes', question(RTM_GETROUTE, routeHeaderLength), readHostRoute);
}
