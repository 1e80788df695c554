/** The last good version of every object, and which Services a change touches. */

import type { EndpointSliceFact, FactChange, NodeFact, ObjectFact, ObjectKind, ServiceFact } from './model/facts.ts';

export interface Facts {
  readonly services: ReadonlyMap<string, ServiceFact>;
  /** Slices by the Service they belong to, then by their own key. */
  readonly slices: ReadonlyMap<string, ReadonlyMap<string, EndpointSliceFact>>;
  readonly node: NodeFact | undefined;
  /** Kinds of which a complete list has arrived. */
  readonly complete: ReadonlySet<ObjectKind>;
}

export interface FactStore extends Facts {
  readonly services: Map<string, ServiceFact>;
  readonly slices: Map<string, Map<string, EndpointSliceFact>>;
  /** Slice key to Service key: a slice may change hands, and a delete names the slice alone. */
  readonly owners: Map<string, string>;
  node: NodeFact | undefined;
  readonly complete: Set<ObjectKind>;
}

/** What a batch of changes touched. */
export interface Touched {
  readonly services: Set<string>;
  node: boolean;
}

export function emptyFacts(): FactStore {
  return { services: new Map(), slices: new Map(), owners: new Map(), node: undefined, complete: new Set() };
}

/** Applies a batch in order and says what it touched. A `replace` touches what it brings and what it no longer has. */
export function applyChanges(facts: FactStore, batch: readonly FactChange[]): Touched {
  const touched: Touched = { services: new Set(), node: false };
  for (const change of batch) {
    switch (change.change) {
      case 'set':
        setObject(facts, change, touched);
        break;
      case 'delete':
        deleteObject(facts, change.kind, change.key, touched);
        break;
      case 'replace':
        replaceKind(facts, change.kind, change.facts, touched);
        break;
    }
  }
  return touched;
}

/** The slices of a Service in the order of their keys, so that of duplicate endpoints the same one wins on every node. */
export function slicesOf(facts: Facts, service: string): readonly EndpointSliceFact[] {
  const list = [...(facts.slices.get(service)?.values() ?? [])];
  return list.length < 2 ? list : list.sort((one, other) => (one.key < other.key ? -1 : 1));
}

function setObject(facts: FactStore, object: ObjectFact, touched: Touched): void {
  switch (object.kind) {
    case 'Service':
      facts.services.set(object.fact.key, object.fact);
      touched.services.add(object.fact.key);
      break;
    case 'EndpointSlice':
      setSlice(facts, object.fact, touched);
      break;
    case 'Node':
      facts.node = object.fact;
      touched.node = true;
      break;
  }
}

function setSlice(facts: FactStore, slice: EndpointSliceFact, touched: Touched): void {
  const owner = facts.owners.get(slice.key);
  if (owner !== undefined && owner !== slice.service) {
    deleteSlice(facts, slice.key, touched);
  }
  const siblings = facts.slices.get(slice.service) ?? new Map<string, EndpointSliceFact>();
  siblings.set(slice.key, slice);
  facts.slices.set(slice.service, siblings);
  facts.owners.set(slice.key, slice.service);
  touched.services.add(slice.service);
}

function deleteObject(facts: FactStore, kind: ObjectKind, key: string, touched: Touched): void {
  switch (kind) {
    case 'Service':
      facts.services.delete(key);
      touched.services.add(key);
      break;
    case 'EndpointSlice':
      deleteSlice(facts, key, touched);
      break;
    case 'Node':
      // The last seen Node is kept: its addresses and zone stay true while this process runs on it.
      break;
  }
}

function deleteSlice(facts: FactStore, key: string, touched: Touched): void {
  const owner = facts.owners.get(key);
  if (owner === undefined) {
    return;
  }
  const siblings = facts.slices.get(owner);
  siblings?.delete(key);
  if (siblings?.size === 0) {
    facts.slices.delete(owner);
  }
  facts.owners.delete(key);
  touched.services.add(owner);
}

function replaceKind(facts: FactStore, kind: ObjectKind, list: readonly ObjectFact[], touched: Touched): void {
  const kept = new Set(list.map((object) => (object.kind === 'Node' ? object.fact.name : object.fact.key)));
  for (const key of knownKeys(facts, kind)) {
    if (!kept.has(key)) {
      deleteObject(facts, kind, key, touched);
    }
  }
  for (const object of list) {
    setObject(facts, object, touched);
  }
  facts.complete.add(kind);
}

function knownKeys(facts: FactStore, kind: ObjectKind): readonly string[] {
  switch (kind) {
    case 'Service':
      return [...facts.services.keys()];
    case 'EndpointSlice':
      return [...facts.owners.keys()];
    case 'Node':
      return facts.node === undefined ? [] : [facts.node.name];
  }
}
