/** Which families a batch of facts touches, and in which of them everything is in force. */

import { familyOf } from '../../core/address.ts';
import { type Facts, sliceOf } from '../../core/facts.ts';
import { filterElementFamily } from '../../core/keys.ts';
import { type FactChange, type Family, families, type ObjectFact } from '../../core/model/facts.ts';
import type { FilterElement } from '../../core/model/filter-element.ts';
import type { VirtualServerIdentity } from '../../core/model/virtual-server.ts';
import type { ReconcilerView } from '../reconciler/state.ts';

/** `facts` are still without the batch. A Service and our Node touch both families, a slice its own. */
export function touchedFamilies(batch: readonly FactChange[], facts: Facts): readonly Family[] {
  const touched = new Set<Family>();
  for (const change of batch) {
    for (const family of familiesOf(change, facts)) {
      touched.add(family);
    }
    if (touched.size === families.length) {
      break;
    }
  }
  return [...touched];
}

/** The families without anything that failed and without doubt about what the kernel holds. */
export function familiesInForce(view: ReconcilerView): readonly Family[] {
  if (view.isUncertain) {
    return [];
  }
  if (view.failing.size === 0) {
    return families;
  }
  const failing = new Set([...view.failing].flatMap((key) => familiesOfResource(key, view)));
  return families.filter((family) => !failing.has(family));
}

function familiesOf(change: FactChange, facts: Facts): readonly Family[] {
  if (change.change === 'set') {
    return familiesOfObject(change, facts);
  }
  switch (change.kind) {
    case 'Service':
      return families;
    case 'EndpointSlice':
      return change.change === 'delete' ? familiesOfKnownSlice(change.key, facts) : families;
    case 'Node':
    case 'ServiceCIDR':
      return [];
  }
}

function familiesOfObject(object: ObjectFact, facts: Facts): readonly Family[] {
  switch (object.kind) {
    case 'Service':
      return families;
    case 'EndpointSlice':
      return [object.fact.family];
    case 'Node':
      return object.fact.name === facts.nodeName ? families : [];
    case 'ServiceCIDR':
      return [];
  }
}

function familiesOfKnownSlice(key: string, facts: Facts): readonly Family[] {
  const known = sliceOf(facts, key);
  return known === undefined ? [] : [known.family];
}

/** Both where it cannot be told. */
function familiesOfResource(key: string, { desired, actual }: ReconcilerView): readonly Family[] {
  const wanted = desired.resources.get(key);
  if (wanted?.kind === 'virtual-server') {
    return [familyOfServer(wanted.value.server.identity)];
  }
  const server = actual.virtualServers.get(key)?.server;
  if (server !== undefined) {
    return [familyOfServer(server.identity)];
  }
  const vip = wanted?.kind === 'vip' ? wanted.value : actual.vips.get(key);
  if (vip !== undefined) {
    return [familyOf(vip.address)];
  }
  const element: FilterElement | undefined = wanted?.kind === 'element' ? wanted.value : actual.elements.get(key);
  return element === undefined ? families : [filterElementFamily(element)];
}

function familyOfServer(identity: VirtualServerIdentity): Family {
  return identity.kind === 'fwmark' ? identity.family : familyOf(identity.address);
}
