/** Counts changes from their arrival until they are in force, and times them from the change in the cluster. */

import { type Facts, isKnownObject, sliceOf } from '../../core/facts.ts';
import {
  type EndpointSliceFact,
  type FactChange,
  type Family,
  families,
  type ObjectFact,
} from '../../core/model/facts.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { touchedFamilies } from './families.ts';

export interface ChangeWatch {
  /** Facts arrived at that time; `facts` are still without them. */
  received(batch: readonly FactChange[], facts: Facts, at: number): void;
  /** All that arrived so far is in force in these families since that time. */
  inForce(served: readonly Family[], at: number): void;
}

/** Times are Unix milliseconds. A change from before `startedAt` is not timed: it waited for us, not we for it. */
export function watchChanges(metrics: Metrics, startedAt: number): ChangeWatch {
  const pending: Pending = { services: 0, slices: 0, triggered: new Map() };
  const showPending = (): void => {
    metrics.serviceChangesPending.set({}, pending.services);
    metrics.endpointChangesPending.set({}, pending.slices);
  };
  return {
    received: (batch, facts, at) => {
      for (const ip_family of touchedFamilies(batch, facts)) {
        metrics.lastQueued.set({ ip_family }, at / 1000);
      }
      for (const change of batch) {
        const objects = newIn(change, facts);
        count(change, objects.length, { pending, metrics });
        for (const object of objects) {
          if (object.kind === 'EndpointSlice') {
            noteTrigger(object.fact, { pending, facts, startedAt });
          }
        }
      }
      showPending();
    },
    inForce: (served, at) => {
      observe(pending, served, { metrics, now: at });
      if (served.length === families.length && (pending.services > 0 || pending.slices > 0)) {
        pending.services = 0;
        pending.slices = 0;
        showPending();
      }
    },
  };
}

interface Pending {
  services: number;
  slices: number;
  /** When what is not in force yet was changed in the cluster, by slice: as many entries as slices at most. */
  readonly triggered: Map<string, { readonly family: Family; readonly at: number }>;
}

/** What a change sets, but for the objects of a list that are known as they are: all of them, where it is the first list. */
function newIn(change: FactChange, facts: Facts): readonly ObjectFact[] {
  switch (change.change) {
    case 'set':
      return [change];
    case 'replace':
      return change.facts.filter((object) => !isKnownObject(facts, object));
    case 'delete':
    case 'complete':
      return [];
  }
}

/** A list counts every object that is new in it, as it does in kube-proxy. */
function count(
  { change, kind }: FactChange,
  found: number,
  { pending, metrics }: { readonly pending: Pending; readonly metrics: Metrics },
): void {
  const amount = change === 'delete' ? 1 : found;
  switch (kind) {
    case 'Service':
      metrics.serviceChanges.add({}, amount);
      pending.services += amount;
      break;
    case 'EndpointSlice':
      metrics.endpointChanges.add({}, amount);
      pending.slices += amount;
      break;
    case 'Node':
    case 'ServiceCIDR':
      break;
  }
}

interface Triggers {
  readonly pending: Pending;
  readonly facts: Facts;
  readonly startedAt: number;
}

/** The controller writes a new time with every change; the same one comes again with a new list. */
function noteTrigger(slice: EndpointSliceFact, { pending, facts, startedAt }: Triggers): void {
  const { key, family, triggeredAt } = slice;
  const known = sliceOf(facts, key);
  if (triggeredAt !== undefined && triggeredAt > startedAt && triggeredAt !== known?.triggeredAt) {
    // Of several changes the first has waited longest.
    pending.triggered.set(key, pending.triggered.get(key) ?? { family, at: triggeredAt });
  }
}

function observe(
  pending: Pending,
  served: readonly Family[],
  { metrics, now }: { readonly metrics: Metrics; readonly now: number },
): void {
  for (const [key, { family, at }] of pending.triggered) {
    if (served.includes(family)) {
      // The clock of the control plane may be ahead of ours.
      metrics.networkProgrammingDuration.observe({ ip_family: family }, Math.max(0, now - at) / 1000);
      pending.triggered.delete(key);
    }
  }
}
