/** What was read of the VIPs so far. Of one that is as expected it takes a byte to note; the others have an object each. */

import { vipKey } from '../../core/actual.ts';
import { familyOf } from '../../core/address.ts';
import { LargeMap } from '../../core/large-map.ts';
import type { Vip, VipState } from '../../core/model/vip.ts';
import { endsStep, type Steps } from '../../core/steps.ts';
import type { HostRoute } from './decode-route.ts';
import { type ExpectedVips, positionOf } from './expected-vips.ts';
import { routeProtocol } from './identity.ts';

export interface FoundVips {
  readonly expected: ExpectedVips;
  /** By position of an expected VIP, those of `addressBit` and `routeBit` that were found, or `apartBit`. */
  readonly parts: Uint8Array;
  /** By address: the VIPs that are not expected, or are not as expected. */
  readonly apart: Map<string, VipApart>;
  /** Thousands of routes have one source: one string is kept of it. */
  readonly sources: Map<string, string>;
}

/** A local route alone may be the kernel's for an address of the node. */
interface VipApart {
  readonly address: string;
  onInterface: boolean;
  routed: boolean;
  isSteered: boolean;
  hasRoute: boolean;
  /** Of the first route. */
  source: string | undefined;
}

/** The address is on the VIP interface. */
const addressBit = 1;
/** The route that it should have was the first to it. */
const routeBit = 2;
/** It is among those apart, with whatever was noted before. */
const apartBit = 4;

/** All that is expected must be known. */
export function foundNothing(expected: ExpectedVips): FoundVips {
  return { expected, parts: new Uint8Array(expected.vips.length), apart: new LargeMap(), sources: new Map() };
}

/** Notes an address of the VIP interface: the position of an expected VIP, or text. */
export function noteAddress(found: FoundVips, address: number | string): void {
  if (typeof address === 'number' && noteInPlace(found, address, addressBit)) return;
  const text = typeof address === 'number' ? vipAt(found, address).address : address;
  apartOf(found, text).onInterface = true;
}

/** Notes a local route: the position of an expected VIP that has its own, or any. The first one to an address is in force. */
export function noteLocalRoute(found: FoundVips, route: number | HostRoute): void {
  if (typeof route === 'number' && noteInPlace(found, route, routeBit)) return;
  const noted = typeof route === 'number' ? { ...vipAt(found, route), protocol: routeProtocol } : route;
  const vip = apartOf(found, noted.address);
  noteSource(found, vip, noted.source);
  vip.routed ||= noted.protocol === routeProtocol;
}

/** Notes the route of a steered VIP. It is whole when nothing makes it local and what steers is there. */
export function noteSteeredRoute(found: FoundVips, route: HostRoute, isComplete: boolean): void {
  const vip = apartOf(found, route.address);
  const isWhole = isComplete && !vip.hasRoute;
  noteSource(found, vip, route.source);
  vip.isSteered = true;
  vip.routed = isWhole && (vip.onInterface || familyOf(route.address) === 'IPv6');
}

/** What was found, by `vipKey`. */
export function* statesOf(found: FoundVips): Steps<Map<string, VipState>> {
  const states = new LargeMap<VipState>();
  let position = 0;
  for (const key of found.expected.keys) {
    const parts = found.parts[position] ?? 0;
    if ((parts & (addressBit | routeBit)) !== 0) states.set(key, stateInPlace(vipAt(found, position), parts));
    if (endsStep(position, stepVips)) yield;
    position += 1;
  }
  let nth = 0;
  for (const vip of found.apart.values()) {
    if (vip.onInterface || vip.routed || vip.isSteered) states.set(vipKey(vip.address), stateApart(vip));
    if (endsStep(nth, stepVips)) yield;
    nth += 1;
  }
  return states;
}

const stepVips = 1_000;

/** False when the VIP is among those apart. */
function noteInPlace({ parts }: FoundVips, position: number, bit: number): boolean {
  const noted = parts[position] ?? apartBit;
  if ((noted & apartBit) !== 0) return false;
  parts[position] = noted | bit;
  return true;
}

function vipAt({ expected: { vips } }: FoundVips, position: number): Vip {
  const vip = vips[position];
  if (vip === undefined) throw new Error(`expected the position of one of ${vips.length} VIPs, found ${position}`);
  return vip;
}

/** From now on the VIP is apart, with what was noted of it. */
function apartOf(found: FoundVips, address: string): VipApart {
  const known = found.apart.get(address);
  if (known !== undefined) return known;
  const position = positionOf(found.expected, address);
  const parts = found.parts[position] ?? 0;
  const hasRoute = (parts & routeBit) !== 0;
  const vip: VipApart = {
    address,
    onInterface: (parts & addressBit) !== 0,
    routed: hasRoute,
    isSteered: false,
    hasRoute,
    source: hasRoute ? found.expected.vips[position]?.source : undefined,
  };
  if (position >= 0) found.parts[position] = apartBit;
  found.apart.set(address, vip);
  return vip;
}

function noteSource({ sources }: FoundVips, vip: VipApart, source: string | undefined): void {
  if (!vip.hasRoute && source !== undefined) {
    vip.source = sources.get(source) ?? source;
    sources.set(source, vip.source);
  }
  vip.hasRoute = true;
}

function stateInPlace({ address, source }: Vip, parts: number): VipState {
  const routed = (parts & routeBit) !== 0;
  return { address, onInterface: (parts & addressBit) !== 0, routed, source: routed ? source : undefined };
}

function stateApart({ address, onInterface, routed, source, isSteered }: VipApart): VipState {
  return isSteered ? { address, onInterface, routed, source, isSteered } : { address, onInterface, routed, source };
}
