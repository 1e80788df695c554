import type { ActualVirtualServer } from '../../core/actual.ts';
import { virtualServerKey } from '../../core/keys.ts';
import { LargeMap } from '../../core/large-map.ts';
import type { Family } from '../../core/model/facts.ts';
import type {
  Destination,
  DestinationState,
  VirtualServerIdentity,
  VirtualServerState,
} from '../../core/model/virtual-server.ts';
import { isSameServer } from '../../core/same-server.ts';
import { endsStep, finish, type Steps } from '../../core/steps.ts';
import { DumpInterruptedError } from '../netlink/dump.ts';
import type { ExpectedServers } from '../ports.ts';
import {
  type ExpectedDestinations,
  expectDestinations,
  recogniseDestination,
  settleDestinations,
} from './expected-destinations.ts';
import { indexServers } from './expected-servers.ts';
import {
  type NetlinkReader,
  readDestinationsByNetlink,
  readServers,
  type TableShape,
  tableByNetlinkSteps,
} from './read-netlink.ts';
import { recogniseServers } from './recognise-servers.ts';
import { identityFamily } from './refusal.ts';
import { copyDestination, type MakeDestination } from './shown-destination.ts';
import {
  countDestinationsIPv4,
  type IpvsSockopt,
  listServicesSteps,
  readDestinationsIPv4,
  readServicesIPv4,
} from './sockopt.ts';
import { readService, type ServiceEntry } from './sockopt-layout.ts';

/** All that reading needs. */
export interface Reader {
  readonly netlink: NetlinkReader;
  readonly sockopt: IpvsSockopt;
  readonly expected: ExpectedDestinations;
}

const maximumAttempts = 5;
const listing = 'read IPv4 virtual servers';

/** See `IpvsPort.dump`. */
export function dumpIpvs(reader: Reader): readonly VirtualServerState[] {
  return readTable(reader, {
    begin: () => copyDestination,
    end: (server, destinations) => ({ server, destinations }),
  });
}

/** See `IpvsPort.read`. */
export function* readIpvs(reader: Reader, wanted: ExpectedServers): Steps<Map<string, ActualVirtualServer>> {
  const shape = sharing(reader.expected, wanted);
  const found = yield* readExpectedIPv4(reader, wanted, shape);
  for (const [key, server] of yield* tableByNetlinkSteps(reader.netlink, ipv6, shape)) found.set(key, server);
  return found;
}

type SharingShape = TableShape<Destination, readonly [string, ActualVirtualServer]>;

/** Takes the expected objects where they are there. */
function sharing(expected: ExpectedDestinations, wanted: ExpectedServers): SharingShape {
  const make: MakeDestination<Destination> = (shown) => recogniseDestination(expected, shown);
  let key = '';
  let same: ActualVirtualServer | undefined;
  return {
    begin: (server) => {
      key = virtualServerKey(server.identity);
      same = wanted.virtualServer(key);
      expectDestinations(expected, same?.destinations);
      return make;
    },
    end: (server, shown) => {
      const destinations = settleDestinations(expected, shown);
      const known = same;
      const isShared = known !== undefined && known.destinations === destinations && isSameServer(known.server, server);
      return [key, isShared ? known : { server, destinations }];
    },
  };
}

/** Nearly all are recognised in place; the others are read one by one. What goes meanwhile is left out. */
function* readExpectedIPv4(
  reader: Reader,
  wanted: ExpectedServers,
  shape: SharingShape,
): Steps<Map<string, ActualVirtualServer>> {
  const found = new LargeMap<ActualVirtualServer>();
  const count = yield* listServicesSteps(reader.sockopt);
  if (count === 0) return found;
  yield;
  const index = yield* indexServers(wanted);
  const { same, others } = yield* recogniseServers(reader.sockopt, index, count);
  for (const position of same) {
    const [key, server] = [index.keys[position], index.servers[position]];
    if (key !== undefined && server !== undefined) found.set(key, server);
    if (endsStep(found.size, stepFound)) yield;
  }
  yield;
  for (const [nth, listed] of others.entries()) {
    const service = readService(reader.sockopt.list, listed);
    const entry = service === undefined ? undefined : readEntry(reader, service, shape);
    if (entry !== undefined) found.set(...entry);
    if (endsStep(nth, stepServers)) yield;
  }
  return found;
}

const stepServers = 32;
const stepFound = 1_000;

/** See `IpvsPort.dumpMarks`. */
export function readMarks(reader: Reader): readonly VirtualServerIdentity[] {
  const servers = [
    ...readServicesIPv4(reader.sockopt, 'marks').map((entry) => entry.server),
    ...finish(readServers(reader.netlink, ipv6)),
  ];
  return servers.map((server) => server.identity).filter((identity) => identity.kind === 'fwmark');
}

/** See `IpvsPort.dumpDestinations`. */
export function readIpvsDestinations(reader: Reader, identity: VirtualServerIdentity): readonly DestinationState[] {
  const make = copyDestination;
  if (identityFamily(identity) === 'IPv6') return readDestinationsByNetlink(reader.netlink, identity, make);
  const count = countDestinationsIPv4(reader.sockopt, identity);
  const found = count === undefined ? [] : (destinationsOf(reader, identity, { count, make }) ?? []);
  return found.some(isTunnel) ? readDestinationsByNetlink(reader.netlink, identity, make) : found;
}

const ipv6: ReadonlySet<Family> = new Set<Family>(['IPv6']);

/** The whole table: IPv4 by getsockopt, the rest over netlink. */
function readTable<Item extends Destination, Entry>(reader: Reader, shape: TableShape<Item, Entry>): readonly Entry[] {
  return readIPv4(reader, shape).concat(finish(tableByNetlinkSteps(reader.netlink, ipv6, shape)));
}

/** The list of virtual servers is of one moment; one that is gone when its destinations are asked for starts it anew. */
function readIPv4<Item extends Destination, Entry>(reader: Reader, shape: TableShape<Item, Entry>): Entry[] {
  let entries: Entry[] = [];
  for (let attempt = 0; attempt < maximumAttempts; attempt += 1) {
    entries = [];
    const services = readServicesIPv4(reader.sockopt, 'all');
    entries = services.map((service) => readEntry(reader, service, shape)).filter((entry) => entry !== undefined);
    if (entries.length === services.length) return entries;
  }
  throw new DumpInterruptedError(listing, maximumAttempts, entries);
}

/** Undefined when it does not exist any more. */
function readEntry<Item extends Destination, Entry>(
  reader: Reader,
  { server, destinationCount }: ServiceEntry,
  shape: TableShape<Item, Entry>,
): Entry | undefined {
  const make = shape.begin(server);
  const destinations = destinationsOf(reader, server.identity, { count: destinationCount, make });
  if (destinations === undefined) return undefined;
  const whole = destinations.some(isTunnel)
    ? readDestinationsByNetlink(reader.netlink, server.identity, shape.begin(server))
    : destinations;
  return shape.end(server, whole);
}

/** The old interface does not say how a tunnel wraps. */
function isTunnel({ forwarding }: Destination): boolean {
  return forwarding === 'tunnel' || forwarding === 'gue';
}

function destinationsOf<Item extends Destination>(
  reader: Reader,
  identity: VirtualServerIdentity,
  expected: { readonly count: number; readonly make: MakeDestination<Item> },
): readonly Item[] | undefined {
  const { count, make } = expected;
  if (count === 0) return [];
  const destinations = readDestinationsIPv4(reader.sockopt, identity, expected);
  // Fewer than counted: some are IPv6 (behind a tunnel), or were removed since. Netlink shows both.
  if (destinations === undefined || destinations.length >= count) return destinations;
  return readDestinationsByNetlink(reader.netlink, identity, make);
}
