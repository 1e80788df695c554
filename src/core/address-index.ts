/**
 * Who has which address in the cluster: the Nodes, the API servers, the Nodes' pods, and the Services that want to be
 * reached at one. A change of the former touches only the Services of its addresses.
 */

import { parseCIDR } from './address.ts';
import type { EndpointSliceFact, NodeFact, ServiceFact } from './model/facts.ts';
import {
  addRange,
  emptyRanges,
  isEmptyRanges,
  type RangeSet,
  type RangeStore,
  rangeAround,
  removeRange,
} from './range-set.ts';

export interface AddressIndex {
  /** Names of the Nodes that have an address, by the address. */
  readonly nodes: ReadonlyMap<string, readonly string[]>;
  /** Where the API servers listen: ports by address. */
  readonly apiServers: ReadonlyMap<string, ReadonlySet<number>>;
  /** podCIDRs of all Nodes. */
  readonly podRanges: RangeSet;
  /** Keys of the Services with an address among their externalIPs or load-balancer IPs, by the address. */
  readonly external: ReadonlyMap<string, readonly string[]>;
}

export interface AddressStore extends AddressIndex {
  readonly nodes: Map<string, readonly string[]>;
  apiServers: ReadonlyMap<string, ReadonlySet<number>>;
  readonly podRanges: RangeStore;
  readonly external: Map<string, readonly string[]>;
}

/** The Service whose endpoints are the API servers, and the slice of it that they keep themselves. */
export const kubernetesService = 'default/kubernetes';

export function emptyAddresses(): AddressStore {
  return { nodes: new Map(), apiServers: new Map(), podRanges: emptyRanges(), external: new Map() };
}

/** Addresses and ranges of which the owner changed. */
export interface TouchedAddresses {
  readonly addresses: Set<string>;
  readonly ranges: RangeStore;
}

export function beginTouch(): TouchedAddresses {
  return { addresses: new Set(), ranges: emptyRanges() };
}

/** The Services that may be reached at one of these addresses, or no longer. */
export function touchedServices(
  index: AddressIndex,
  all: Iterable<ServiceFact>,
  touched: TouchedAddresses,
): readonly string[] {
  const services = [...touched.addresses].flatMap((address) => index.external.get(address) ?? []);
  if (touched.addresses.size > 0) {
    // A ClusterIP that is a Node's address is so rare, and Nodes come so seldom, that an index would only cost memory.
    for (const { key, clusterIPs } of all) {
      if (clusterIPs.some((address) => touched.addresses.has(address))) {
        services.push(key);
      }
    }
  }
  if (!isEmptyRanges(touched.ranges)) {
    for (const [address, names] of index.external) {
      if (rangeAround(touched.ranges, address) !== undefined) {
        services.push(...names);
      }
    }
  }
  return services;
}

export function indexService(
  index: AddressStore,
  before: ServiceFact | undefined,
  after: ServiceFact | undefined,
): void {
  const old = externalAddresses(before);
  const now = externalAddresses(after);
  for (const address of old) {
    if (!now.includes(address)) {
      removeName(index.external, address, before?.key ?? '');
    }
  }
  for (const address of now) {
    addName(index.external, address, after?.key ?? '');
  }
}

export function indexNode(
  index: AddressStore,
  before: NodeFact | undefined,
  after: NodeFact | undefined,
  touched: TouchedAddresses,
): void {
  const name = (after ?? before)?.name ?? '';
  const [old, now] = [before?.allAddresses ?? [], after?.allAddresses ?? []];
  for (const address of old.filter((each) => !now.includes(each))) {
    removeName(index.nodes, address, name);
    touched.addresses.add(address);
  }
  for (const address of now.filter((each) => !old.includes(each))) {
    addName(index.nodes, address, name);
    touched.addresses.add(address);
  }
  indexPodRanges(index, before?.podCIDRs ?? [], after?.podCIDRs ?? [], touched);
}

/**
 * `slices` are all that the Service of the API servers has. Only the one of its own name counts: others may be written by
 * whoever may write to the namespace, who could so take an address from somebody else's Service.
 */
export function indexAPIServers(
  index: AddressStore,
  slices: readonly EndpointSliceFact[],
  touched: TouchedAddresses,
): void {
  const now = new Map<string, Set<number>>();
  for (const slice of slices.filter(({ key }) => key === kubernetesService)) {
    for (const { address } of slice.endpoints) {
      const ports = now.get(address) ?? new Set();
      slice.ports.forEach(({ port }) => ports.add(port));
      now.set(address, ports);
    }
  }
  for (const address of new Set([...index.apiServers.keys(), ...now.keys()])) {
    if ([...(index.apiServers.get(address) ?? [])].join() !== [...(now.get(address) ?? [])].join()) {
      touched.addresses.add(address);
    }
  }
  index.apiServers = now;
}

function indexPodRanges(
  index: AddressStore,
  before: readonly string[],
  after: readonly string[],
  touched: TouchedAddresses,
): void {
  const change = (text: string, apply: typeof addRange): void => {
    const range = parseCIDR(text);
    if (range !== undefined) {
      apply(index.podRanges, range);
      addRange(touched.ranges, range);
    }
  };
  for (const text of before.filter((each) => !after.includes(each))) {
    change(text, removeRange);
  }
  for (const text of after.filter((each) => !before.includes(each))) {
    change(text, addRange);
  }
}

function externalAddresses(service: ServiceFact | undefined): readonly string[] {
  return service === undefined ? [] : [...service.externalIPs, ...service.loadBalancerIPs];
}

function addName(index: Map<string, readonly string[]>, address: string, name: string): void {
  const names = index.get(address) ?? [];
  if (!names.includes(name)) {
    index.set(address, [...names, name]);
  }
}

function removeName(index: Map<string, readonly string[]>, address: string, name: string): void {
  const names = (index.get(address) ?? []).filter((each) => each !== name);
  if (names.length === 0) {
    index.delete(address);
  } else {
    index.set(address, names);
  }
}
