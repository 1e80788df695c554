/**
 * The IPv4 virtual servers that should be there, compared in place with what the getsockopts show. At a start nearly
 * everything is as it should be, and making objects to find that out would cost more than the reading itself.
 */

import type { ActualVirtualServer } from '../../core/actual.ts';
import type {
  Destination,
  Destinations,
  VirtualServer,
  VirtualServerIdentity,
} from '../../core/model/virtual-server.ts';
import { endsStep, type Steps } from '../../core/steps.ts';
import { isIPv4TextAt, writeAddressText } from '../address-text.ts';
import { addKey, clearKeyIndex, createKeyIndex, findKey, type KeyIndex } from '../key-index.ts';
import type { ReceivedBytes } from '../netlink/received.ts';
import type { ExpectedServers } from '../ports.ts';
import { hashedFlag, plainForwardingNumber, protocolNumber } from './constants.ts';
import { destinationPosition, prefixLengthOfMask } from './sockopt-layout.ts';

/** Keys and virtual servers by position in the index. */
export interface ServerIndex {
  readonly index: KeyIndex;
  readonly keys: readonly string[];
  readonly servers: readonly ActualVirtualServer[];
}

/** An address, a protocol and a port, and a mark, as they stand in every structure. */
const keyWords = 3;

export function* indexServers({ eachVirtualServer }: Pick<ExpectedServers, 'eachVirtualServer'>): Steps<ServerIndex> {
  const keys: string[] = [];
  const servers: ActualVirtualServer[] = [];
  yield* eachVirtualServer((key, server) => {
    if (!isIPv4(server.server.identity)) return;
    keys.push(key);
    servers.push(server);
  });
  const index = createKeyIndex(keyWords);
  clearKeyIndex(index, servers.length);
  for (const [nth, { server }] of servers.entries()) {
    writeIdentity(index, server.identity);
    addKey(index);
    if (endsStep(nth, stepServers)) yield;
  }
  return { index, keys, servers };
}

const stepServers = 512;

/** The position of the virtual server that the entry at `at` identifies; -1 when it is not expected. */
export function findServer({ index }: ServerIndex, { view }: ReceivedBytes, at: number): number {
  const { key } = index;
  const mark = view.getUint32(at + 12, true);
  key[0] = mark === 0 ? view.getUint32(at + 4, true) : 0;
  key[1] = mark === 0 ? (view.getUint16(at, true) << 16) | view.getUint16(at + 8, false) : 0;
  key[2] = mark;
  return findKey(index);
}

/** Whether the entry at `at` has the settings of a virtual server, and as many destinations. */
export function isServerAt(
  received: ReceivedBytes,
  at: number,
  { server, destinations }: ActualVirtualServer,
): boolean {
  const { view } = received;
  return (
    (view.getUint32(at + 32, true) & ~hashedFlag) >>> 0 === server.flags &&
    view.getUint32(at + 36, true) === server.timeoutSeconds &&
    prefixLengthOfMask(view.getUint32(at + 40, false)) === server.prefixLength &&
    view.getUint32(at + 44, true) === destinations.length &&
    isNameAt(received, at + 16, server)
  );
}

/**
 * Whether the answer at `start`, with room for one more and zeros where the kernel wrote nothing, has these destinations
 * and no others, in the order in which the kernel shows what was added at once: the last one first, beginning anywhere.
 * In another order they may still be the same.
 */
export function hasDestinationsAt(received: ReceivedBytes, start: number, destinations: Destinations): boolean {
  const count = destinations.length;
  let slot = -1;
  for (const destination of destinations) {
    slot = slot < 0 ? findSlot(received, start, { count, destination }) : slot - 1;
    if (slot < 0) slot = count - 1;
    if (!isDestinationAt(received, destinationPosition(start, slot), destination)) return false;
  }
  return received.view.getUint32(destinationPosition(start, count), true) === 0;
}

function isIPv4(identity: VirtualServerIdentity): boolean {
  return identity.kind === 'fwmark' ? identity.family === 'IPv4' : !identity.address.includes(':');
}

function writeIdentity({ key, keyBytes }: KeyIndex, identity: VirtualServerIdentity): void {
  key.fill(0);
  if (identity.kind === 'fwmark') {
    key[2] = identity.mark;
    return;
  }
  writeAddressText(identity.address, keyBytes, 0);
  key[1] = (protocolNumber[identity.protocol] << 16) | identity.port;
}

/** A name and its NUL. */
function isNameAt({ bytes }: ReceivedBytes, at: number, { scheduler }: VirtualServer): boolean {
  for (let index = 0; index < scheduler.length; index += 1) {
    if (bytes[at + index] !== scheduler.charCodeAt(index)) return false;
  }
  return bytes[at + scheduler.length] === 0;
}

function findSlot(
  received: ReceivedBytes,
  start: number,
  { count, destination }: { readonly count: number; readonly destination: Destination },
): number {
  for (let slot = count - 1; slot > 0; slot -= 1) {
    if (isDestinationAt(received, destinationPosition(start, slot), destination)) return slot;
  }
  return 0;
}

function isDestinationAt({ view, bytes }: ReceivedBytes, at: number, destination: Destination): boolean {
  return (
    view.getUint16(at + 4, false) === destination.port &&
    view.getInt32(at + 12, true) === destination.weight &&
    // How a tunnel wraps is not shown: one is never recognised.
    (view.getUint32(at + 8, true) & 7) === plainForwardingNumber[destination.forwarding] &&
    isIPv4TextAt(destination.address, bytes, at)
  );
}
