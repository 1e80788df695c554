/**
 * Reading over netlink: what the old getsockopts cannot show. The kernel walks the table anew for each datagram of a
 * dump and does not say when it changed in between (ip_vs_genl_dump_services, ip_vs_genl_dump_dests): a dump of more
 * than one datagram counts only when a second one shows the same.
 */

import { destinationKey, virtualServerKey } from '../../core/keys.ts';
import type { Family } from '../../core/model/facts.ts';
import type { Destination, VirtualServer, VirtualServerIdentity } from '../../core/model/virtual-server.ts';
import { endsStep, finish, type Steps } from '../../core/steps.ts';
import { errno, KernelError } from '../error.ts';
import { type Batch, beginMessage, createBatch, endMessage, putGenericHeader, resetBatch } from '../netlink/batch.ts';
import { DumpInterruptedError, dump, dumpSteps } from '../netlink/dump.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { command, familyVersion } from './constants.ts';
import { readDestination, readVirtualServer } from './decode.ts';
import { identityFamily } from './refusal.ts';
import { encodeIdentity } from './service-message.ts';
import type { MakeDestination } from './shown-destination.ts';

/** How often a table that keeps changing is read. */
const maximumAttempts = 5;

/** What becomes of what the kernel shows. */
export interface TableShape<Item, Entry> {
  /** Begins a virtual server: what to make of its destinations. */
  readonly begin: (server: VirtualServer) => MakeDestination<Item>;
  readonly end: (server: VirtualServer, destinations: readonly Item[]) => Entry;
}

/** The two sockets of reading: a long receive buffer makes each of many short dumps several times slower. */
export interface NetlinkReader {
  readonly familyId: number;
  readonly batch: Batch;
  readonly services: NetlinkSocket;
  readonly destinations: NetlinkSocket;
}

/**
 * Reads every virtual server of `families` with its destinations. Nothing else may use the socket for virtual servers
 * between the steps. Throws `KernelError`, `DumpInterruptedError`.
 */
export function* tableByNetlinkSteps<Item extends Destination, Entry>(
  reader: NetlinkReader,
  families: ReadonlySet<Family>,
  shape: TableShape<Item, Entry>,
): Steps<readonly Entry[]> {
  let entries: readonly Entry[] | undefined;
  for (let attempt = 1; attempt < maximumAttempts && entries === undefined; attempt += 1) {
    entries = yield* readTableOnce(reader, families, shape);
  }
  // The last attempt gives nobody time to change the table.
  entries ??= finish(readTableOnce(reader, families, shape));
  if (entries === undefined) throw new DumpInterruptedError('read virtual servers', maximumAttempts, []);
  return entries;
}

/** Undefined when the virtual servers are not the same afterwards. */
function* readTableOnce<Item extends Destination, Entry>(
  reader: NetlinkReader,
  families: ReadonlySet<Family>,
  shape: TableShape<Item, Entry>,
): Steps<readonly Entry[] | undefined> {
  const servers = yield* readServers(reader, families);
  const entries: Entry[] = [];
  for (const [nth, server] of servers.entries()) {
    const make = shape.begin(server);
    entries.push(shape.end(server, readDestinationsByNetlink(reader, server.identity, make)));
    if (endsStep(nth, stepServers)) yield;
  }
  // A virtual server that went before its destinations were read looks as if it had none.
  const isSame = entries.length === 0 || sameOrder(servers, yield* readServers(reader, families), serverKey);
  return isSame ? entries : undefined;
}

const stepServers = 16;

/** Reads the destinations of one virtual server; none when it does not exist. Throws as above. */
export function readDestinationsByNetlink<Item extends Destination>(
  reader: NetlinkReader,
  identity: VirtualServerIdentity,
  make: MakeDestination<Item>,
): readonly Item[] {
  let before: readonly Item[] | undefined;
  for (let attempt = 0; attempt < maximumAttempts; attempt += 1) {
    const pass = readDestinationsOnce(reader, identity, make);
    if (pass.datagrams <= 1 || (before !== undefined && sameOrder(before, pass.items, destinationKey))) {
      return pass.items;
    }
    before = pass.items;
  }
  throw new DumpInterruptedError(`read destinations of ${virtualServerKey(identity)}`, maximumAttempts, before ?? []);
}

interface Pass<Item> {
  readonly items: readonly Item[];
  /** Those with items; each is a moment of its own. */
  readonly datagrams: number;
}

/** Reads every virtual server of `families`. Throws `KernelError`, `DumpInterruptedError`. */
export function readServers(reader: NetlinkReader, families: ReadonlySet<Family>): Steps<readonly VirtualServer[]> {
  // Not the reader's: destinations may be asked for between the steps.
  const batch = createBatch(64);
  beginMessage(batch, reader.familyId, 0);
  putGenericHeader(batch, command.getService, familyVersion);
  endMessage(batch);
  return dumpSteps(reader.services, 'read virtual servers', batch, (message) => readVirtualServer(message, families));
}

function readDestinationsOnce<Item>(
  reader: NetlinkReader,
  identity: VirtualServerIdentity,
  make: MakeDestination<Item>,
): Pass<Item> {
  const { batch } = reader;
  resetBatch(batch);
  const refused = encodeIdentity(batch, reader.familyId, command.getDestination, identity);
  if (refused !== 0) throw new KernelError(`read destinations of ${virtualServerKey(identity)}`, errno.EINVAL);
  const family = identityFamily(identity);
  let datagrams = 0;
  let cursor: MessageCursor | undefined;
  const items = dump(reader.destinations, 'read destinations', batch, (message) => {
    // Each datagram has a cursor of its own.
    if (message !== cursor) datagrams += 1;
    cursor = message;
    return readDestination(message, family, make);
  });
  return { items, datagrams };
}

function serverKey(server: VirtualServer): string {
  return virtualServerKey(server.identity);
}

function sameOrder<Item>(one: readonly Item[], other: readonly Item[], key: (item: Item) => string): boolean {
  if (one.length !== other.length) return false;
  return one.every((item, index) => {
    const opposite = other[index];
    return opposite !== undefined && key(item) === key(opposite);
  });
}
