/**
 * The destinations of a virtual server: a list in the order of their keys, each key once. There are ten times as many as
 * Services, and a Map of ten takes nine times the memory of the list, its keys not counted.
 */

import { destinationKey } from './keys.ts';
import type { Destination, Destinations } from './model/virtual-server.ts';
import { isSameList } from './same-list.ts';

/** From any order. Of several with one key the last counts. */
export function listDestinations(destinations: Iterable<Destination>): Destinations {
  const byKey = new Map<string, Destination>();
  for (const destination of destinations) {
    byKey.set(destinationKey(destination), destination);
  }
  return sorted(byKey);
}

export function findDestination(destinations: Destinations, key: string): Destination | undefined {
  const found = destinations[positionOf(destinations, key)];
  return found !== undefined && destinationKey(found) === key ? found : undefined;
}

/** One that is gone, or one that came or was set otherwise. */
export interface DestinationChange {
  readonly isGone: boolean;
  readonly destination: Destination;
}

/** What the changes make of a list, one after the other. */
export function changeDestinations(destinations: Destinations, changes: readonly DestinationChange[]): Destinations {
  return changes.length > fewChanges ? changeMany(destinations, changes) : changeFew(destinations, changes);
}

/** Each of a few is looked for in the list, with some keys made; for many a Map with all keys is made once. */
const fewChanges = 16;

function changeFew(destinations: Destinations, changes: readonly DestinationChange[]): Destinations {
  const list = [...destinations];
  for (const { isGone, destination } of changes) {
    const at = positionOf(list, destinationKey(destination));
    const there = list[at];
    const replaced = there !== undefined && isSamePlace(there, destination) ? 1 : 0;
    list.splice(at, replaced, ...(isGone ? [] : [destination]));
  }
  return list;
}

function changeMany(destinations: Destinations, changes: readonly DestinationChange[]): Destinations {
  const byKey = new Map(destinations.map((each) => [destinationKey(each), each]));
  for (const { isGone, destination } of changes) {
    const key = destinationKey(destination);
    if (isGone) {
      byKey.delete(key);
    } else {
      byKey.set(key, destination);
    }
  }
  return sorted(byKey);
}

/** Goes through two lists side by side, in the order of the keys: what has the key in one, and what has it in the other. */
export function eachPair(
  one: Destinations,
  other: Destinations,
  visit: (its: Destination | undefined, others: Destination | undefined) => void,
): void {
  for (let [at, otherAt] = [0, 0]; at < one.length || otherAt < other.length; ) {
    const [its, others] = [one[at], other[otherAt]];
    const order = compare(its, others);
    visit(order > 0 ? undefined : its, order < 0 ? undefined : others);
    at += order > 0 ? 0 : 1;
    otherAt += order < 0 ? 0 : 1;
  }
}

/** Whether two lists are of the same destinations, set the same. */
export function isSameDestinations(one: Destinations, other: Destinations): boolean {
  return isSameList(
    one,
    other,
    (its, others) => others !== undefined && isSamePlace(its, others) && isSameDestination(its, others),
  );
}

/** Whether two destinations of one key are set the same. */
export function isSameDestination(one: Destination, other: Destination): boolean {
  return one === other || (one.weight === other.weight && one.forwarding === other.forwarding);
}

function sorted(byKey: ReadonlyMap<string, Destination>): Destinations {
  return [...byKey].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, destination]) => destination);
}

/** What is missing comes last. Of the same places no keys are made. */
function compare(one: Destination | undefined, other: Destination | undefined): number {
  if (one === undefined || other === undefined) {
    return one === undefined ? 1 : -1;
  }
  if (isSamePlace(one, other)) {
    return 0;
  }
  return destinationKey(one) < destinationKey(other) ? -1 : 1;
}

function isSamePlace(one: Destination, other: Destination): boolean {
  return one === other || (one.port === other.port && one.address === other.address);
}

/** Where a key stands, or would. */
function positionOf(destinations: Destinations, key: string): number {
  let [from, to] = [0, destinations.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const there = destinations[middle];
    if (there !== undefined && destinationKey(there) < key) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  return from;
}
