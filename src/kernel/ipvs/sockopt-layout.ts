/**
 * Structures of the old getsockopts in their 64-bit layout (include/uapi/linux/ip_vs.h). The kernel writes at most as
 * many entries as were asked for, leaves the room of the others as it was, and does not say how many there are: the
 * room is zeroed before, and asked for with some to spare.
 */

import type { VirtualServer, VirtualServerIdentity } from '../../core/model/virtual-server.ts';
import type { Steps } from '../../core/steps.ts';
import { readAddressText, writeAddressText } from '../address-text.ts';
import { NetlinkDecodeError } from '../netlink/decode-error.ts';
import type { ReceivedBytes } from '../netlink/received.ts';
import { forwardingOfFlags, hashedFlag, protocolNumber, protocolOfNumber } from './constants.ts';
import { blankDestination, type MakeDestination } from './shown-destination.ts';

/** An IPv4 virtual server with the number of its destinations, those of the other family included. */
export interface ServiceEntry {
  readonly server: VirtualServer;
  readonly destinationCount: number;
}

/** All virtual servers, or those of firewall marks. */
export type WantedServices = 'all' | 'marks';

const servicesHeader = 8;
const destinationsHeader = 24;
const destinationEntry = 96;

/** sizeof(struct ip_vs_service_entry): argument and result of IP_VS_SO_GET_SERVICE. */
export const serviceEntryLength = 104;

/** sizeof(struct ip_vs_getinfo). */
export const infoLength = 12;

/** Bytes of struct ip_vs_get_services with room for `count` entries. */
export function servicesLength(count: number): number {
  return servicesHeader + count * serviceEntryLength;
}

/** Bytes of struct ip_vs_get_dests with room for `count` entries. */
export function destinationsLength(count: number): number {
  return destinationsHeader + count * destinationEntry;
}

/** num_services of struct ip_vs_getinfo: IPv4 virtual servers only. */
export function readServiceCount(received: ReceivedBytes): number {
  return received.view.getUint32(8, true);
}

/**
 * Prepares IP_VS_SO_GET_SERVICES, in steps: five megabytes for 50,000 virtual servers, in pages that nobody may have touched
 * before. What the kernel writes then, it writes at once.
 */
export function* layServicesRequest(request: ReceivedBytes, count: number): Steps<void> {
  const length = servicesLength(count);
  for (let start = 0; start < length; start += zeroedAtOnce) {
    request.bytes.fill(0, start, Math.min(start + zeroedAtOnce, length));
    yield;
  }
  request.view.setUint32(0, count, true);
}

/** 16 pages. */
const zeroedAtOnce = 65_536;

/** Prepares IP_VS_SO_GET_SERVICE for an IPv4 virtual server; false when its address is none. */
export function layServiceRequest(request: ReceivedBytes, identity: VirtualServerIdentity): boolean {
  request.bytes.fill(0, 0, serviceEntryLength);
  return layIdentity(request, identity);
}

/** Prepares IP_VS_SO_GET_DESTS for an IPv4 virtual server; false when its address is none. */
export function layDestinationsRequest(
  request: ReceivedBytes,
  identity: VirtualServerIdentity,
  count: number,
): boolean {
  const { view } = request;
  for (let at = 0; at < destinationsHeader; at += 4) view.setUint32(at, 0, true);
  // An entry that was left as it was is known by its address.
  for (let index = 0; index < count; index += 1) {
    view.setUint32(destinationsHeader + index * destinationEntry, 0, true);
  }
  view.setUint32(16, count, true);
  return layIdentity(request, identity);
}

/** Where the entry at a position of struct ip_vs_get_services begins. */
export function servicePosition(index: number): number {
  return servicesHeader + index * serviceEntryLength;
}

/** Where the entry at a position of a struct ip_vs_get_dests at `start` begins. */
export function destinationPosition(start: number, index: number): number {
  return start + destinationsHeader + index * destinationEntry;
}

/**
 * How many entries the kernel wrote: undefined when all room was taken, so that there may be more. It writes them one behind
 * the other, and hardly any room is left: looked for from the end.
 */
export function countServices({ view }: ReceivedBytes, room: number): number | undefined {
  let count = room;
  while (count > 0 && isLeft(view, servicePosition(count - 1))) count -= 1;
  return count === room ? undefined : count;
}

/** Only room that was left has neither: the kernel stores TCP for a firewall mark. */
function isLeft(view: DataView, at: number): boolean {
  return view.getUint16(at, true) === 0 && view.getUint32(at + 12, true) === 0;
}

/** Reads that many entries. */
export function readServices(received: ReceivedBytes, count: number, wanted: WantedServices): readonly ServiceEntry[] {
  const entries: ServiceEntry[] = [];
  for (let index = 0; index < count; index += 1) {
    const isWanted = wanted === 'all' || received.view.getUint32(servicePosition(index) + 12, true) !== 0;
    const entry = isWanted ? readService(received, index) : undefined;
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/** Reads one of the entries; undefined for a protocol that the model has no word for. */
export function readService(received: ReceivedBytes, index: number): ServiceEntry | undefined {
  const at = servicePosition(index);
  const server = readServer(received, at);
  return server === undefined ? undefined : { server, destinationCount: received.view.getUint32(at + 44, true) };
}

/** num_dests of one struct ip_vs_service_entry. */
export function readDestinationCount(received: ReceivedBytes): number {
  return received.view.getUint32(44, true);
}

/**
 * Prepares at `start`, where all is zero, IP_VS_SO_GET_DESTS for the virtual server of an entry of a list, with room for
 * `room` destinations. What identifies a virtual server stands at the same place in both.
 */
export function layDestinationsRequestOf(
  request: ReceivedBytes,
  start: number,
  { list, index, room }: { readonly list: ReceivedBytes; readonly index: number; readonly room: number },
): void {
  const at = servicePosition(index);
  for (let offset = 0; offset < 16; offset += 4) {
    request.view.setUint32(start + offset, list.view.getUint32(at + offset, true), true);
  }
  request.view.setUint32(start + 16, room, true);
}

/** Reads the entries that the kernel wrote: undefined when all room was taken, so that there may be more. */
export function readDestinations<Item>(
  received: ReceivedBytes,
  room: number,
  make: MakeDestination<Item>,
): readonly Item[] | undefined {
  const { view, bytes } = received;
  const items: Item[] = [];
  const shown = blankDestination(bytes, 'IPv4');
  for (let index = 0; index < room; index += 1) {
    const at = destinationsHeader + index * destinationEntry;
    // 0.0.0.0 is refused as a destination.
    if (view.getUint32(at, true) === 0) return items;
    shown.addressAt = at;
    shown.port = view.getUint16(at + 4, false);
    shown.forwarding = forwardingOfFlags(view.getUint32(at + 8, true));
    shown.weight = view.getInt32(at + 12, true);
    shown.activeConnections = view.getUint32(at + 24, true);
    shown.inactiveConnections = view.getUint32(at + 28, true);
    items.push(make(shown));
  }
  return undefined;
}

/** `protocol`, `addr`, `port` and `fwmark` stand at the same place in every structure. */
function layIdentity(request: ReceivedBytes, identity: VirtualServerIdentity): boolean {
  const { view, bytes } = request;
  if (identity.kind === 'fwmark') {
    view.setUint32(12, identity.mark, true);
    return true;
  }
  view.setUint16(0, protocolNumber[identity.protocol], true);
  view.setUint16(8, identity.port, false);
  return writeAddressText(identity.address, bytes, 4) === 4;
}

function readServer(received: ReceivedBytes, at: number): VirtualServer | undefined {
  const identity = readIdentity(received, at);
  if (identity === undefined) return undefined;
  const { view, bytes } = received;
  const nameEnd = bytes.indexOf(0, at + 16);
  if (nameEnd < 0 || nameEnd > at + 32) throw new NetlinkDecodeError('a scheduler name without an end', at + 16);
  return {
    identity,
    scheduler: bytes.toString('latin1', at + 16, nameEnd),
    flags: (view.getUint32(at + 32, true) & ~hashedFlag) >>> 0,
    timeoutSeconds: view.getUint32(at + 36, true),
    prefixLength: prefixLengthOfMask(view.getUint32(at + 40, false)),
  };
}

/** Undefined for a protocol that the model has no word for: nobody can reach sluice's virtual servers by it. */
function readIdentity(received: ReceivedBytes, at: number): VirtualServerIdentity | undefined {
  const { view, bytes } = received;
  const mark = view.getUint32(at + 12, true);
  if (mark !== 0) return { kind: 'fwmark', family: 'IPv4', mark };
  const protocol = protocolOfNumber(view.getUint16(at, true));
  if (protocol === undefined) return undefined;
  return {
    kind: 'address',
    protocol,
    address: readAddressText(bytes, at + 4, 'IPv4'),
    port: view.getUint16(at + 8, false),
  };
}

/** The leading ones of an IPv4 mask. */
export function prefixLengthOfMask(mask: number): number {
  return Math.clz32(~mask);
}
