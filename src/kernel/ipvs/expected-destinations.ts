/**
 * The destinations that a virtual server should have, looked up by what the kernel shows. A destination that is as
 * expected becomes the expected object, and a virtual server whose destinations all are gets the expected list: reading
 * a table that is right makes nothing that stays.
 */

import { listDestinations } from '../../core/destinations.ts';
import type { Destination, Destinations } from '../../core/model/virtual-server.ts';
import { readAddressText, writeAddressText } from '../address-text.ts';
import { addKey, clearKeyIndex, createKeyIndex, findKey, type KeyIndex } from '../key-index.ts';
import type { ShownDestination } from './shown-destination.ts';

/** Serves one virtual server after another. */
export interface ExpectedDestinations {
  readonly index: KeyIndex;
  /** By position in the index. */
  readonly destinations: Destination[];
  list: Destinations | undefined;
  /** Whether one was shown that is not as expected. */
  differs: boolean;
}

/** An address of 16 bytes and a port. */
const keyWords = 5;

export function createExpectedDestinations(): ExpectedDestinations {
  return { index: createKeyIndex(keyWords), destinations: [], list: undefined, differs: false };
}

/** Begins a virtual server; `list` is undefined when it is not expected at all. */
export function expectDestinations(expected: ExpectedDestinations, list: Destinations | undefined): void {
  const { index, destinations } = expected;
  expected.list = list;
  expected.differs = false;
  destinations.length = 0;
  clearKeyIndex(index, list?.length ?? 0);
  for (const destination of list ?? []) {
    index.key.fill(0);
    if (writeAddressText(destination.address, index.keyBytes, 0) !== 0) {
      index.key[keyWords - 1] = destination.port;
      addKey(index);
      destinations.push(destination);
    }
  }
}

/** The expected destination when it is shown as it should be, else a new one. */
export function recogniseDestination(expected: ExpectedDestinations, shown: ShownDestination): Destination {
  const there = expected.destinations[findShown(expected.index, shown)];
  if (there !== undefined && there.weight === shown.weight && there.forwarding === shown.forwarding) {
    return there;
  }
  expected.differs = true;
  const { port, weight, forwarding } = shown;
  return { address: readAddressText(shown.bytes, shown.addressAt, shown.family), port, weight, forwarding };
}

/** Ends a virtual server: the expected list when all of it was shown and nothing else. */
export function settleDestinations(expected: ExpectedDestinations, shown: readonly Destination[]): Destinations {
  const { list, differs } = expected;
  return list !== undefined && !differs && shown.length === list.length ? list : listDestinations(shown);
}

function findShown(index: KeyIndex, { bytes, addressAt, family, port }: ShownDestination): number {
  const { key, keyBytes } = index;
  const length = family === 'IPv4' ? 4 : 16;
  key.fill(0);
  for (let at = 0; at < length; at += 1) {
    keyBytes[at] = bytes[addressAt + at] ?? 0;
  }
  key[keyWords - 1] = port;
  return findKey(index);
}
