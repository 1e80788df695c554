/**
 * Reading over netlink: what the old getsockopts cannot show. The kernel walks the table anew for each datagram of a
 * dump and does not say when it changed in between (ip_vs_genl_dump_services, ip_vs_genl_dump_dests): a dump of more
 * than one datagram counts only when a second one shows the same.
 */

import { destinationKey, virtualServerKey } from '../../core/keys.ts';
import type { Family } from '../../core/model/facts.ts';
import type {
  DestinationState,
  VirtualServer,
  VirtualServerIdentity,
  VirtualServerState,
} from '../../core/model/virtual-server.ts';
import { errno, KernelError } from '../error.ts';
import { type Batch, beginMessage, endMessage, putGenericHeader, resetBatch } from '../netlink/batch.ts';
import { DumpInterruptedError, dump } from '../netlink/dump.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { command, familyVersion } from './constants.ts';
import { readDestination, readVirtualServer } from './decode.ts';
import { identityFamily } from './refusal.ts';
import { encodeIdentity } from './service-message.ts';

/** How often a table that keeps changing is read. */
const maximumAttempts = 5;

/** The two sockets of reading: a long receive buffer makes each of many short dumps several times slower. */
export interface NetlinkReader {
  readonly familyId: number;
  readonly batch: Batch;
  readonly services: NetlinkSocket;
  readonly destinations: NetlinkSocket;
}

/** Reads every virtual server of `families` with its destinations. Throws `KernelError`, `DumpInterruptedError`. */
export function readTableByNetlink(reader: NetlinkReader, families: ReadonlySet<Family>): VirtualServerState[] {
  let states: VirtualServerState[] = [];
  for (let attempt = 0; attempt < maximumAttempts; attempt += 1) {
    const servers = readServers(reader, families);
    if (servers.length === 0) return [];
    states = servers.map((server) => ({ server, destinations: readDestinationsByNetlink(reader, server.identity) }));
    // A virtual server that went before its destinations were read looks as if it had none.
    if (sameOrder(servers, readServers(reader, families), serverKey)) return states;
  }
  throw new DumpInterruptedError('read virtual servers', maximumAttempts, states);
}

/** Reads the destinations of one virtual server; none when it does not exist. Throws as above. */
export function readDestinationsByNetlink(
  reader: NetlinkReader,
  identity: VirtualServerIdentity,
): readonly DestinationState[] {
  let before: readonly DestinationState[] | undefined;
  for (let attempt = 0; attempt < maximumAttempts; attempt += 1) {
    const pass = readDestinationsOnce(reader, identity);
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

function readServers(reader: NetlinkReader, families: ReadonlySet<Family>): readonly VirtualServer[] {
  const { batch } = reader;
  resetBatch(batch);
  beginMessage(batch, reader.familyId, 0);
  putGenericHeader(batch, command.getService, familyVersion);
  endMessage(batch);
  return dump(reader.services, 'read virtual servers', batch, (message) => readVirtualServer(message, families));
}

function readDestinationsOnce(reader: NetlinkReader, identity: VirtualServerIdentity): Pass<DestinationState> {
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
    return readDestination(message, family);
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
