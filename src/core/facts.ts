/** The last good version of every object, and which Services a change touches. */

import {
  type AddressIndex,
  type AddressStore,
  beginTouch,
  emptyAddresses,
  indexAPIServers,
  indexNode,
  indexService,
  kubernetesService,
  type TouchedAddresses,
  touchedServices,
} from './address-index.ts';
import { LargeMap } from './large-map.ts';
import type {
  EndpointSliceFact,
  FactChange,
  FirstListEnd,
  NodeFact,
  ObjectFact,
  ObjectKind,
  ServiceCIDRFact,
  ServiceFact,
} from './model/facts.ts';
import { isSameNode } from './same-node.ts';

export interface Facts {
  readonly services: ReadonlyMap<string, ServiceFact>;
  /** Slices by the Service they belong to, in the order of their keys: most have one, for which a Map is much memory. */
  readonly slices: ReadonlyMap<string, readonly EndpointSliceFact[]>;
  /** Slice key to Service key: a slice may change hands, and a delete names the slice alone. */
  readonly owners: ReadonlyMap<string, string>;
  /** The name of our Node. */
  readonly nodeName: string;
  /** Our own Node as last seen; it is kept when it is gone from the API. */
  readonly node: NodeFact | undefined;
  /** All Nodes by name, ours among them. */
  readonly nodes: ReadonlyMap<string, NodeFact>;
  /** By name; another map after every change. */
  readonly serviceCIDRs: ReadonlyMap<string, ServiceCIDRFact>;
  /** Whose addresses are whose. */
  readonly addresses: AddressIndex;
  /** Kinds of which a complete list has arrived. */
  readonly complete: ReadonlySet<ObjectKind>;
}

export interface FactStore extends Facts {
  readonly services: Map<string, ServiceFact>;
  readonly slices: Map<string, readonly EndpointSliceFact[]>;
  readonly owners: Map<string, string>;
  node: NodeFact | undefined;
  readonly nodes: Map<string, NodeFact>;
  serviceCIDRs: ReadonlyMap<string, ServiceCIDRFact>;
  readonly addresses: AddressStore;
  readonly complete: Set<ObjectKind>;
}

/** What a batch of changes touched. */
export interface Touched {
  /** Services that changed, or slices of which did. */
  readonly services: Set<string>;
  /** Services of which a slice with a UDP port, before or after, changed, or that appeared after such a slice. */
  readonly udpServices: Set<string>;
  /** Our own Node is not what it was. */
  node: boolean;
  readonly addresses: TouchedAddresses;
}

export function emptyFacts(nodeName: string): FactStore {
  return {
    services: new LargeMap(),
    slices: new LargeMap(),
    owners: new LargeMap(),
    nodeName,
    node: undefined,
    nodes: new Map(),
    serviceCIDRs: new Map(),
    addresses: emptyAddresses(),
    complete: new Set(),
  };
}

/**
 * Applies a batch in order and says what it touched. A `replace` touches what it brings that is not there already, and what
 * it no longer has.
 */
export function applyChanges(facts: FactStore, batch: readonly FactChange[]): Touched {
  const touched: Touched = { services: new Set(), udpServices: new Set(), node: false, addresses: beginTouch() };
  for (const change of batch) {
    switch (change.change) {
      case 'set':
        setObject(facts, change, touched);
        break;
      case 'delete':
        deleteObject(facts, change.kind, change.key, touched);
        break;
      case 'complete':
        completeKind(facts, change, touched);
        break;
      case 'replace':
        replaceKind(facts, change.kind, change.facts, touched);
        break;
    }
  }
  return touched;
}

/** The Services to compile again: what changed, and what shares an address with it, for which all may have to be looked at. */
export function servicesToCompile(facts: Facts, { services, addresses }: Touched): ReadonlySet<string> {
  const sharing = touchedServices(facts.addresses, facts.services.values(), addresses);
  return sharing.length === 0 ? services : new Set([...services, ...sharing]);
}

/** The slices of a Service in the order of their keys, so that of duplicate endpoints the same one wins on every node. */
export function slicesOf(facts: Facts, service: string): readonly EndpointSliceFact[] {
  return facts.slices.get(service) ?? [];
}

export function sliceOf(facts: Facts, key: string): EndpointSliceFact | undefined {
  return slicesOf(facts, facts.owners.get(key) ?? '').find((slice) => slice.key === key);
}

function setObject(facts: FactStore, object: ObjectFact, touched: Touched): void {
  switch (object.kind) {
    case 'Service':
      setService(facts, object.fact, touched);
      break;
    case 'EndpointSlice':
      setSlice(facts, object.fact, touched);
      break;
    case 'Node':
      setNode(facts, object.fact, touched);
      break;
    case 'ServiceCIDR':
      facts.serviceCIDRs = new Map([...facts.serviceCIDRs, [object.fact.key, object.fact]]);
      break;
  }
}

function setService(facts: FactStore, service: ServiceFact, touched: Touched): void {
  const known = facts.services.get(service.key);
  indexService(facts.addresses, known, service);
  facts.services.set(service.key, service);
  touched.services.add(service.key);
  for (const slice of known === undefined ? slicesOf(facts, service.key) : []) {
    touchUdp(slice, touched);
  }
}

function setNode(facts: FactStore, node: NodeFact, touched: Touched): void {
  const known = facts.nodes.get(node.name);
  if (known !== undefined && isSameNode(known, node)) {
    return;
  }
  indexNode(facts.addresses, known, node, touched.addresses);
  facts.nodes.set(node.name, node);
  if (node.name === facts.nodeName) {
    facts.node = node;
    touched.node = true;
  }
}

function setSlice(facts: FactStore, slice: EndpointSliceFact, touched: Touched): void {
  const owner = facts.owners.get(slice.key);
  if (owner !== undefined && owner !== slice.service) {
    deleteSlice(facts, slice.key, touched);
  }
  const others = slicesOf(facts, slice.service);
  const known = others.findIndex(({ key }) => key === slice.key);
  touchUdp(others[known], touched);
  touchUdp(slice, touched);
  facts.slices.set(slice.service, known < 0 ? withSlice(others, slice) : others.with(known, slice));
  facts.owners.set(slice.key, slice.service);
  touchSlicesOf(facts, slice.service, touched);
}

function withSlice(others: readonly EndpointSliceFact[], slice: EndpointSliceFact): readonly EndpointSliceFact[] {
  const next = others.findIndex(({ key }) => key > slice.key);
  return others.toSpliced(next < 0 ? others.length : next, 0, slice);
}

function touchUdp(slice: EndpointSliceFact | undefined, touched: Touched): void {
  if (slice?.ports.some((port) => port.protocol === 'UDP') === true) {
    touched.udpServices.add(slice.service);
  }
}

function touchSlicesOf(facts: FactStore, service: string, touched: Touched): void {
  touched.services.add(service);
  if (service === kubernetesService) {
    indexAPIServers(facts.addresses, slicesOf(facts, service), touched.addresses);
  }
}

function deleteObject(facts: FactStore, kind: ObjectKind, key: string, touched: Touched): void {
  switch (kind) {
    case 'Service':
      indexService(facts.addresses, facts.services.get(key), undefined);
      facts.services.delete(key);
      touched.services.add(key);
      break;
    case 'EndpointSlice':
      deleteSlice(facts, key, touched);
      break;
    case 'Node':
      // Our own is kept as last seen: its addresses and zone stay true while this process runs on it.
      if (key !== facts.nodeName) {
        indexNode(facts.addresses, facts.nodes.get(key), undefined, touched.addresses);
        facts.nodes.delete(key);
      }
      break;
    case 'ServiceCIDR':
      facts.serviceCIDRs = new Map([...facts.serviceCIDRs].filter(([name]) => name !== key));
      break;
  }
}

function deleteSlice(facts: FactStore, key: string, touched: Touched): void {
  const owner = facts.owners.get(key);
  if (owner === undefined) {
    return;
  }
  touchUdp(sliceOf(facts, key), touched);
  const others = slicesOf(facts, owner).filter((slice) => slice.key !== key);
  if (others.length === 0) {
    facts.slices.delete(owner);
  } else {
    facts.slices.set(owner, others);
  }
  facts.owners.delete(key);
  touchSlicesOf(facts, owner, touched);
}

function replaceKind(facts: FactStore, kind: ObjectKind, list: readonly ObjectFact[], touched: Touched): void {
  const kept = new Set(list.map((object) => (object.kind === 'Node' ? object.fact.name : object.fact.key)));
  deleteOthers(facts, kind, kept, touched);
  for (const object of list) {
    if (!isKnownObject(facts, object)) {
      setObject(facts, object, touched);
    }
  }
  facts.complete.add(kind);
}

/** Where nobody else has told of this kind all of the list is there, and nothing else where that is as much as is known. */
function completeKind(facts: FactStore, { kind, count, list }: FirstListEnd, touched: Touched): void {
  if (facts.complete.has(kind)) {
    replaceKind(facts, kind, [...list.values()], touched);
  } else if (mapOf(facts, kind).size !== count) {
    deleteOthers(facts, kind, list, touched);
  }
  facts.complete.add(kind);
}

function deleteOthers(
  facts: FactStore,
  kind: ObjectKind,
  kept: Pick<ReadonlySet<string>, 'has'>,
  touched: Touched,
): void {
  for (const key of mapOf(facts, kind).keys()) {
    if (!kept.has(key)) {
      deleteObject(facts, kind, key, touched);
    }
  }
}

/** A source brings what has not changed as the object that it gave before; Nodes and ServiceCIDRs are looked at anew. */
export function isKnownObject({ services, slices }: Facts, object: ObjectFact): boolean {
  switch (object.kind) {
    case 'Service':
      return services.get(object.fact.key) === object.fact;
    case 'EndpointSlice':
      return slices.get(object.fact.service)?.includes(object.fact) === true;
    case 'Node':
    case 'ServiceCIDR':
      return false;
  }
}

/** With the key of each object of a kind. */
function mapOf(facts: Facts, kind: ObjectKind): ReadonlyMap<string, unknown> {
  switch (kind) {
    case 'Service':
      return facts.services;
    case 'EndpointSlice':
      return facts.owners;
    case 'Node':
      return facts.nodes;
    case 'ServiceCIDR':
      return facts.serviceCIDRs;
  }
}
