import { familyOf } from '../../core/address.ts';
import { destinationKey, virtualServerKey } from '../../core/keys.ts';
import type { IpvsOperation } from '../../core/model/operation.ts';
import {
  type Destination,
  type DestinationState,
  type VirtualServer,
  type VirtualServerIdentity,
  virtualServerFlags,
} from '../../core/model/virtual-server.ts';
import { writeAddressText } from '../address-text.ts';
import type { errno } from '../errno.ts';
import { noScheduler } from '../ipvs/constants.ts';
import { identityFamily } from '../ipvs/refusal.ts';

export interface FakeVirtualServer {
  server: VirtualServer;
  /** By `destinationKey`, oldest first. */
  readonly destinations: Map<string, DestinationState>;
}

/** Virtual servers by `virtualServerKey`. */
export interface FakeTable {
  readonly schedulers: ReadonlySet<string>;
  readonly servers: Map<string, FakeVirtualServer>;
}

/** Carries one operation out, or returns why the kernel would not. */
export function changeTable(table: FakeTable, operation: IpvsOperation): keyof typeof errno | undefined {
  switch (operation.kind) {
    case 'add-virtual-server':
      return addServer(table, operation.server);
    case 'edit-virtual-server':
      return editServer(table, operation.server);
    case 'remove-virtual-server':
      return table.servers.delete(virtualServerKey(operation.identity)) ? undefined : 'ESRCH';
    case 'add-destination':
    case 'edit-destination':
    case 'remove-destination': {
      const there = table.servers.get(virtualServerKey(operation.identity));
      return there === undefined ? 'ESRCH' : changeDestination(there, operation);
    }
  }
}

function addServer(table: FakeTable, server: VirtualServer): keyof typeof errno | undefined {
  const key = virtualServerKey(server.identity);
  if (table.servers.has(key)) return 'EEXIST';
  if (!hasScheduler(table, server)) return 'ENOENT';
  table.servers.set(key, { server: stored(server), destinations: new Map() });
  return undefined;
}

function editServer(table: FakeTable, server: VirtualServer): keyof typeof errno | undefined {
  const there = table.servers.get(virtualServerKey(server.identity));
  if (there === undefined) return 'ESRCH';
  if (!hasScheduler(table, server)) return 'ENOENT';
  there.server = stored(server);
  return undefined;
}

function hasScheduler(table: FakeTable, server: VirtualServer): boolean {
  return server.scheduler === noScheduler || table.schedulers.has(server.scheduler);
}

const knownFlags = Object.values(virtualServerFlags).reduce((mask, flag) => mask | flag, 0);

/** What the kernel keeps of it. */
function stored(server: VirtualServer): VirtualServer {
  const { identity, scheduler, flags, timeoutSeconds, prefixLength } = server;
  return { identity, scheduler, flags: flags & knownFlags, timeoutSeconds, prefixLength };
}

function changeDestination(
  there: FakeVirtualServer,
  operation: Extract<IpvsOperation, { readonly destination: Destination }>,
): keyof typeof errno | undefined {
  const { destination, identity, kind } = operation;
  const key = destinationKey(destination);
  if (kind === 'remove-destination') return there.destinations.delete(key) ? undefined : 'ENOENT';
  if (isMixed(identity, destination) && destination.forwarding !== 'tunnel' && destination.forwarding !== 'gue')
    return 'EINVAL';
  if (destination.weight < 0) return 'ERANGE';
  const before = there.destinations.get(key);
  if (kind === 'add-destination') {
    if (before !== undefined) return 'EEXIST';
    if (!isUnicast(destination.address)) return 'EINVAL';
  } else if (before === undefined) {
    return 'ENOENT';
  }
  const { address, port, weight, forwarding } = destination;
  const { activeConnections = 0, inactiveConnections = 0 } = before ?? {};
  there.destinations.set(key, { address, port, weight, forwarding, activeConnections, inactiveConnections });
  return undefined;
}

function isMixed(identity: VirtualServerIdentity, destination: Destination): boolean {
  return familyOf(destination.address) !== identityFamily(identity);
}

/** inet_addr_type and ipv6_addr_type of a host without addresses of its own: no broadcast address of a subnet. */
function isUnicast(address: string): boolean {
  const bytes = new Uint8Array(16);
  const length = writeAddressText(address, bytes, 0);
  const [first = 0, second = 0] = bytes;
  if (length === 4) return (first & 0xf0) !== 0xe0 && address !== '0.0.0.0' && address !== '255.255.255.255';
  return address !== '::' && first !== 0xff && !(first === 0xfe && (second & 0xc0) === 0x80);
}
