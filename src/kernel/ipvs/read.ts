import type { Family } from '../../core/model/facts.ts';
import type { DestinationState, VirtualServerIdentity, VirtualServerState } from '../../core/model/virtual-server.ts';
import { DumpInterruptedError } from '../netlink/dump.ts';
import { type NetlinkReader, readDestinationsByNetlink, readTableByNetlink } from './read-netlink.ts';
import { identityFamily } from './refusal.ts';
import { countDestinationsIPv4, type IpvsSockopt, readDestinationsIPv4, readServicesIPv4 } from './sockopt.ts';
import type { ServiceEntry } from './sockopt-layout.ts';

/** All that reading needs. */
export interface Reader {
  readonly netlink: NetlinkReader;
  readonly sockopt: IpvsSockopt;
}

const maximumAttempts = 5;

/** The whole table: IPv4 by getsockopt, the rest over netlink. See `IpvsPort.dump`. */
export function readIpvs(reader: Reader): readonly VirtualServerState[] {
  const states = readIPv4(reader);
  return states.concat(readTableByNetlink(reader.netlink, ipv6));
}

/** See `IpvsPort.dumpDestinations`. */
export function readIpvsDestinations(reader: Reader, identity: VirtualServerIdentity): readonly DestinationState[] {
  if (identityFamily(identity) === 'IPv6') return readDestinationsByNetlink(reader.netlink, identity);
  const count = countDestinationsIPv4(reader.sockopt, identity);
  return count === undefined ? [] : (destinationsOf(reader, identity, count) ?? []);
}

const ipv6: ReadonlySet<Family> = new Set<Family>(['IPv6']);

/** The list of virtual servers is of one moment; one that is gone when its destinations are asked for starts it anew. */
function readIPv4(reader: Reader): VirtualServerState[] {
  let states: VirtualServerState[] = [];
  for (let attempt = 0; attempt < maximumAttempts; attempt += 1) {
    states = [];
    const entries = readServicesIPv4(reader.sockopt);
    if (entries.every((entry) => collect(reader, entry, states))) return states;
  }
  throw new DumpInterruptedError('read IPv4 virtual servers', maximumAttempts, states);
}

function collect(reader: Reader, entry: ServiceEntry, states: VirtualServerState[]): boolean {
  const { server, destinationCount } = entry;
  const destinations = destinationsOf(reader, server.identity, destinationCount);
  if (destinations === undefined) return false;
  states.push({ server, destinations });
  return true;
}

function destinationsOf(
  reader: Reader,
  identity: VirtualServerIdentity,
  count: number,
): readonly DestinationState[] | undefined {
  if (count === 0) return [];
  const destinations = readDestinationsIPv4(reader.sockopt, identity, count);
  // Fewer than counted: some are IPv6 (behind a tunnel), or were removed since. Netlink shows both.
  if (destinations === undefined || destinations.length >= count) return destinations;
  return readDestinationsByNetlink(reader.netlink, identity);
}
