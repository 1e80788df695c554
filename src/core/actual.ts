/**
 * What the kernel is known to hold: adopted from a dump, then advanced by every operation that succeeded. The next
 * dump replaces it.
 */

import { destinationKey, filterElementKey, virtualServerKey } from './keys.ts';
import type { FilterElement } from './model/filter-element.ts';
import type { Operation } from './model/operation.ts';
import type { VipState } from './model/vip.ts';
import type { Destination, VirtualServer, VirtualServerIdentity, VirtualServerState } from './model/virtual-server.ts';

export interface ActualVirtualServer {
  readonly server: VirtualServer;
  readonly destinations: ReadonlyMap<string, Destination>;
}

export interface Actual {
  readonly virtualServers: ReadonlyMap<string, ActualVirtualServer>;
  /** By resource key, `vip 10.96.0.1`. */
  readonly vips: ReadonlyMap<string, VipState>;
  readonly elements: ReadonlyMap<string, FilterElement>;
}

export interface ActualStore extends Actual {
  readonly virtualServers: Map<string, StoredVirtualServer>;
  readonly vips: Map<string, VipState>;
  readonly elements: Map<string, FilterElement>;
}

interface StoredVirtualServer {
  server: VirtualServer;
  readonly destinations: Map<string, Destination>;
}

/** What one complete reading of the kernel brought. */
export interface Reading {
  readonly virtualServers: readonly VirtualServerState[];
  readonly vips: readonly VipState[];
  readonly elements: readonly FilterElement[];
}

export function adoptReading(reading: Reading): ActualStore {
  const actual: ActualStore = { virtualServers: new Map(), vips: new Map(), elements: new Map() };
  for (const state of reading.virtualServers) {
    adoptVirtualServer(actual, state);
  }
  for (const vip of reading.vips) {
    actual.vips.set(vipKey(vip.address), vip);
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
    case 'edit-virtual-server':
      return virtualServerKey(operation.server.identity);
    case 'remove-virtual-server':
    case 'add-destination':
    case 'edit-destination':
    case 'remove-destination':
      return virtualServerKey(operation.identity);
    case 'add-vip':
      return vipKey(operation.vip.address);
    case 'remove-vip':
      return vipKey(operation.address);
    case 'add-element':
    case 'remove-element':
      return filterElementKey(operation.element);
  }
}

/** Takes operations that the kernel has carried out into account, in order. */
export function advance(actual: ActualStore, operations: readonly Operation[]): void {
  // A virtual server's destinations follow one another and share its identity: it is looked up once for all of them.
  let identity: VirtualServerIdentity | undefined;
  let destinations: Map<string, Destination> | undefined;
  for (const operation of operations) {
    if (!('destination' in operation)) {
      identity = undefined;
      advanceOne(actual, operation);
      continue;
    }
    if (operation.identity !== identity) {
      identity = operation.identity;
      destinations = actual.virtualServers.get(virtualServerKey(identity))?.destinations;
    }
    if (operation.kind === 'remove-destination') {
      destinations?.delete(destinationKey(operation.destination));
    } else {
      destinations?.set(destinationKey(operation.destination), operation.destination);
    }
  }
}

type DestinationOperation = Extract<Operation, { readonly destination: Destination }>;

function advanceOne(actual: ActualStore, operation: Exclude<Operation, DestinationOperation>): void {
  switch (operation.kind) {
    case 'add-virtual-server':
    case 'edit-virtual-server':
      advanceServer(actual, operation.server);
      break;
    case 'remove-virtual-server':
      actual.virtualServers.delete(virtualServerKey(operation.identity));
      break;
    case 'add-vip':
      actual.vips.set(vipKey(operation.vip.address), { ...operation.vip, onInterface: true, routed: true });
      break;
    case 'remove-vip':
      actual.vips.delete(vipKey(operation.address));
      break;
    case 'add-element':
      actual.elements.set(filterElementKey(operation.element), operation.element);
      break;
    case 'remove-element':
      actual.elements.delete(filterElementKey(operation.element));
      break;
  }
}

function adoptVirtualServer(actual: ActualStore, state: VirtualServerState): void {
  const destinations = new Map<string, Destination>();
  for (const destination of state.destinations) {
    destinations.set(destinationKey(destination), destination);
  }
  actual.virtualServers.set(virtualServerKey(state.server.identity), { server: state.server, destinations });
}

function advanceServer(actual: ActualStore, server: VirtualServer): void {
  const key = virtualServerKey(server.identity);
  const stored = actual.virtualServers.get(key);
  if (stored === undefined) {
    actual.virtualServers.set(key, { server, destinations: new Map() });
  } else {
    stored.server = server;
  }
}
