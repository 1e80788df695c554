/**
 * The VIPs that should be there, compared in place with what the kernel tells. At a start nearly all of them are as they
 * should be, and making objects to find that out would take longer than the reading itself.
 */

import type { Expected } from '../../core/actual.ts';
import type { Family } from '../../core/model/facts.ts';
import type { Vip } from '../../core/model/vip.ts';
import { endsStep, type Steps } from '../../core/steps.ts';
import { readAddressText, writeAddressText } from '../address-text.ts';
import { addKey, clearKeyIndex, createKeyIndex, findKey, type KeyIndex } from '../key-index.ts';
import { type MessageCursor, payloadU8 } from '../netlink/message-reader.ts';
import type { ReceivedBytes } from '../netlink/received.ts';
import { familyNumber, familyNumberOf, familyOfNumber } from './address-family.ts';
import { addressPosition } from './decode-address.ts';
import { copyHostRoute, type HostRoute, locateHostRoute, type RouteInPlace } from './decode-route.ts';
import { routeProtocol } from './identity.ts';
import { RTM_NEWADDR } from './rtnetlink.ts';

/** VIPs and their keys (`vipKey`), one for one. */
export interface ExpectedVips {
  readonly index: KeyIndex;
  readonly keys: string[];
  readonly vips: Vip[];
  /** The bytes of each source that one of them has: thousands have the same. */
  readonly sources: Map<string, Uint8Array>;
  isFilled: boolean;
}

/** An address, and the number of its family. */
const keyWords = 5;

export function expectNoVips(): ExpectedVips {
  return { index: createKeyIndex(keyWords), keys: [], vips: [], sources: new Map(), isFilled: false };
}

/** Does nothing the second time. */
export function* fillExpectedVips(expected: ExpectedVips, eachVip: Expected['eachVip']): Steps<void> {
  const { index, keys, vips } = expected;
  if (expected.isFilled) return;
  yield* eachVip((key, vip) => {
    // What steers one has other routes, and there are few of them.
    if (vip.isSteered === true) return;
    keys.push(key);
    vips.push(vip);
    keepSource(expected, vip);
  });
  clearKeyIndex(index, vips.length);
  for (const { address } of vips) {
    writeKey(index, address);
    addKey(index);
    if (endsStep(index.count, indexedAtOnce)) yield;
  }
  expected.isFilled = true;
}

const indexedAtOnce = 512;

/** The position of the VIP with such an address; -1 when none is expected. */
export function positionOf({ index }: ExpectedVips, address: string): number {
  writeKey(index, address);
  return findKey(index);
}

/** What an address message tells of: the position of the VIP when it is expected, else its address. */
export function recogniseAddress(expected: ExpectedVips, message: MessageCursor): number | string | undefined {
  const family = message.type === RTM_NEWADDR ? familyOfNumber(payloadU8(message, 0)) : undefined;
  const at = family === undefined ? -1 : addressPosition(message, family);
  if (family === undefined || at < 0) return undefined;
  const position = positionAt(expected, message.received, { family, at });
  return position < 0 ? readAddressText(message.received.bytes, at, family) : position;
}

/** The position of the VIP when the route is the one that it should have, else the route. */
export function recogniseRoute(expected: ExpectedVips, message: MessageCursor): number | HostRoute | undefined {
  const route = locateHostRoute(message);
  if (route === undefined) return undefined;
  const at = { family: route.family, at: route.addressAt };
  const isOurs = route.isLocal && route.protocol === routeProtocol;
  const position = isOurs ? positionAt(expected, message.received, at) : -1;
  const vip = expected.vips[position];
  const isWanted = vip !== undefined && hasSource(expected, vip, { received: message.received, route });
  return isWanted ? position : copyHostRoute(message, route);
}

interface AddressInPlace {
  readonly family: Family;
  /** Where it begins in what was received. */
  readonly at: number;
}

function positionAt({ index }: ExpectedVips, { view }: ReceivedBytes, { family, at }: AddressInPlace): number {
  const { key } = index;
  key[0] = view.getUint32(at, true);
  for (let word = 1; word < 4; word += 1) key[word] = family === 'IPv4' ? 0 : view.getUint32(at + word * 4, true);
  key[4] = familyNumber(family);
  return findKey(index);
}

function writeKey({ key, keyBytes }: KeyIndex, address: string): void {
  key.fill(0);
  writeAddressText(address, keyBytes, 0);
  key[4] = familyNumberOf(address);
}

function keepSource({ sources }: ExpectedVips, { source }: Vip): void {
  if (source === undefined || sources.has(source)) return;
  const bytes = new Uint8Array(16);
  sources.set(source, bytes.subarray(0, writeAddressText(source, bytes, 0)));
}

function hasSource(
  { sources }: ExpectedVips,
  vip: Vip,
  { received, route }: { readonly received: ReceivedBytes; readonly route: RouteInPlace },
): boolean {
  if (vip.source === undefined || route.sourceAt < 0) return vip.source === undefined && route.sourceAt < 0;
  const wanted = sources.get(vip.source);
  return (
    wanted?.length === (route.family === 'IPv4' ? 4 : 16) &&
    wanted.every((byte, index) => received.bytes[route.sourceAt + index] === byte)
  );
}
