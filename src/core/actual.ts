/**
 * What the kernel is known to hold: adopted from a dump, then advanced by every operation that succeeded. The next
 * dump replaces it.
 */

import { changeDestinations, type DestinationChange, isSameDestinations, listDestinations } from './destinations.ts';
import { filterElementKey, virtualServerKey } from './keys.ts';
import type { LongList } from './large-list.ts';
import { LargeMap } from './large-map.ts';
import type { FilterElement } from './model/filter-element.ts';
import type { Operation } from './model/operation.ts';
import type { Vip, VipState } from './model/vip.ts';
import type {
  Destination,
  Destinations,
  VirtualServer,
  VirtualServerIdentity,
  VirtualServerState,
} from './model/virtual-server.ts';
import { isSameServer } from './same-server.ts';
import type { Steps } from './steps.ts';

export interface ActualVirtualServer {
  readonly server: VirtualServer;
  readonly destinations: Destinations;
}

export interface Actual {
  readonly virtualServers: ReadonlyMap<string, ActualVirtualServer>;
  /** By resource key, `vip 10.96.0.1`. */
  readonly vips: ReadonlyMap<string, VipState>;
  readonly elements: ReadonlyMap<string, FilterElement>;
}

/** A virtual server may be the very object that is wanted: what is as it should be is kept in memory once. */
export interface ActualStore extends Actual {
  readonly virtualServers: Map<string, ActualVirtualServer>;
  readonly vips: Map<string, VipState>;
  readonly elements: Map<string, FilterElement>;
}

/** What should be in the kernel, to be shared where it is. By resource key; all of it in steps. */
export interface Expected {
  readonly virtualServer: (key: string) => ActualVirtualServer | undefined;
  readonly eachVirtualServer: (visit: (key: string, server: ActualVirtualServer) => void) => Steps<void>;
  readonly eachVip: (visit: (key: string, vip: Vip) => void) => Steps<void>;
  readonly eachElement: (visit: (key: string, element: FilterElement) => void) => Steps<void>;
}

/** What one complete reading of the kernel brought. */
export interface Reading {
  readonly virtualServers: readonly VirtualServerState[];
  readonly vips: readonly VipState[];
  readonly elements: readonly FilterElement[];
}

export function adoptReading(reading: Reading): ActualStore {
  const vips = new Map(reading.vips.map((vip) => [vipKey(vip.address), vip]));
  const actual: ActualStore = { virtualServers: new LargeMap(), vips, elements: new LargeMap() };
  for (const state of reading.virtualServers) {
    adoptVirtualServer(actual, state);
  }
  for (const element of reading.elements) {
    actual.elements.set(filterElementKey(element), element);
  }
  return actual;
}

/** The resource key of a VIP. */
export function vipKey(address: string): string {
  return `vip ${address}`;
}

/** The element that records a virtual server as sluice's. */
export function ownershipKey(identity: VirtualServerIdentity): string {
  return identity.kind === 'address'
    ? filterElementKey({ set: 'virtual_servers', ...identity })
    : filterElementKey({ set: 'fwmarks', ...identity });
}

/** The key of the resource that an operation changes. */
export function resourceKeyOf(operation: Operation): string {
  switch (operation.kind) {
    case 'add-virtual-server':
      return operation.key ?? virtualServerKey(operation.server.identity);
    case 'edit-virtual-server':
      return virtualServerKey(operation.server.identity);
    case 'remove-virtual-server':
    case 'add-destination':
    case 'edit-destination':
    case 'remove-destination':
      return virtualServerKey(operation.identity);
    case 'add-vip':
      return operation.key ?? vipKey(operation.vip.address);
    case 'remove-vip':
      return vipKey(operation.address);
    case 'add-element':
      return operation.key ?? filterElementKey(operation.element);
    case 'remove-element':
      return filterElementKey(operation.element);
  }
}

/**
 * Takes operations that the kernel has carried out into account, in order. A virtual server that came out as `expected` is
 * shared with it.
 */
export function advance(
  actual: ActualStore,
  operations: readonly Operation[],
  expected: Pick<Expected, 'virtualServer'>,
): void {
  for (let at = 0; at < operations.length; ) {
    const operation = operations[at];
    if (operation === undefined) {
      return;
    }
    at +=
      'destination' in operation
        ? advanceDestinations(actual, operation.identity, { expected, following: { operations, from: at } })
        : 1 + advanceOne(actual, operation, { expected, following: { operations, from: at + 1 } });
  }
}

/** The same in steps. */
export function* advanceSteps(
  actual: ActualStore,
  operations: LongList<Operation>,
  expected: Pick<Expected, 'virtualServer'>,
): Steps<void> {
  for (let from = 0; from < operations.length; ) {
    let to = from + stepOperations;
    // A new virtual server is looked at together with its destinations.
    while (operations.at(to)?.kind === 'add-destination') {
      to += 1;
    }
    advance(actual, operations.slice(from, to), expected);
    from = to;
    yield;
  }
}

/** What is allocated meanwhile makes V8 mark, a few milliseconds at a time. */
const stepOperations = 250;

type DestinationOperation = Extract<Operation, { readonly destination: Destination }>;

interface Advance {
  readonly expected: Pick<Expected, 'virtualServer'>;
  readonly following: { readonly operations: readonly Operation[]; readonly from: number };
}

/**
 * A virtual server's destinations follow one another and share its identity: it is looked up once for all of them. Returns
 * how many operations that were.
 */
function advanceDestinations(
  actual: ActualStore,
  identity: VirtualServerIdentity,
  { expected, following }: Advance,
): number {
  const { operations, from } = following;
  const changes: DestinationChange[] = [];
  for (let at = from; at < operations.length; at += 1) {
    const operation = operations[at];
    if (operation === undefined || !('destination' in operation) || operation.identity !== identity) {
      break;
    }
    changes.push({ isGone: operation.kind === 'remove-destination', destination: operation.destination });
  }
  const key = virtualServerKey(identity);
  const there = actual.virtualServers.get(key);
  if (there !== undefined) {
    const destinations = changeDestinations(there.destinations, changes);
    setServer(actual, key, { server: there.server, destinations }, expected);
  }
  return changes.length;
}

/** What is as it is wanted is the very object that is wanted. */
function setServer(
  actual: ActualStore,
  key: string,
  there: ActualVirtualServer,
  expected: Pick<Expected, 'virtualServer'>,
): void {
  const wanted = expected.virtualServer(key);
  const isAsWanted =
    wanted !== undefined &&
    isSameServer(wanted.server, there.server) &&
    isSameDestinations(wanted.destinations, there.destinations);
  actual.virtualServers.set(key, isAsWanted ? wanted : there);
}

/** Returns how many of the operations that follow are accounted for too. */
function advanceOne(actual: ActualStore, operation: Exclude<Operation, DestinationOperation>, rest: Advance): number {
  switch (operation.kind) {
    case 'add-virtual-server':
      return advanceNew(actual, operation, rest);
    case 'edit-virtual-server':
      advanceServer(actual, operation.server, rest.expected);
      return 0;
    case 'remove-virtual-server':
      actual.virtualServers.delete(virtualServerKey(operation.identity));
      return 0;
    case 'add-vip':
      actual.vips.set(resourceKeyOf(operation), completeState(operation.vip));
      return 0;
    case 'remove-vip':
      actual.vips.delete(vipKey(operation.address));
      return 0;
    case 'add-element':
      actual.elements.set(resourceKeyOf(operation), operation.element);
      return 0;
    case 'remove-element':
      actual.elements.delete(filterElementKey(operation.element));
      return 0;
  }
}

/** Of a VIP that is there as it should be. */
function completeState({ address, source, isSteered }: Vip): VipState {
  const state = { address, onInterface: true, routed: true, source } as const;
  return isSteered === undefined ? state : { ...state, isSteered };
}

/** A plan takes the destinations of a new virtual server from what is wanted: as many are the same. */
function advanceNew(
  actual: ActualStore,
  operation: Extract<Operation, { readonly kind: 'add-virtual-server' }>,
  { expected, following }: Advance,
): number {
  const { server } = operation;
  const key = resourceKeyOf(operation);
  const wanted = expected.virtualServer(key);
  if (wanted?.server === server && !actual.virtualServers.has(key)) {
    const added = countAdded(server.identity, following);
    if (added === wanted.destinations.length) {
      actual.virtualServers.set(key, wanted);
      return added;
    }
  }
  advanceServer(actual, server, expected);
  return 0;
}

function countAdded(identity: VirtualServerIdentity, { operations, from }: Advance['following']): number {
  let at = from;
  for (; at < operations.length; at += 1) {
    const operation = operations[at];
    if (operation?.kind !== 'add-destination' || operation.identity !== identity) {
      break;
    }
  }
  return at - from;
}

function advanceServer(actual: ActualStore, server: VirtualServer, expected: Pick<Expected, 'virtualServer'>): void {
  const key = virtualServerKey(server.identity);
  const destinations = actual.virtualServers.get(key)?.destinations ?? [];
  setServer(actual, key, { server, destinations }, expected);
}

function adoptVirtualServer(actual: ActualStore, { server, destinations }: VirtualServerState): void {
  actual.virtualServers.set(virtualServerKey(server.identity), {
    server,
    destinations: listDestinations(destinations),
  });
}
