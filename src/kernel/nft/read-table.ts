/** Reads what the kernel holds of sluice's table, and removes it. */

import type { Expected } from '../../core/actual.ts';
import { filterElementKey } from '../../core/keys.ts';
import { LargeMap } from '../../core/large-map.ts';
import { type FilterElement, type SetName, setNames } from '../../core/model/filter-element.ts';
import { finish, type Steps } from '../../core/steps.ts';
import { errno, isKernelError, KernelError } from '../error.ts';
import { putString } from '../netlink/attribute-writer.ts';
import { type Batch, beginMessage, createBatch, endMessage, putNetfilterHeader } from '../netlink/batch.ts';
import { dump, dumpSteps, type PreparedReader } from '../netlink/dump.ts';
import type { ReadMessage } from '../netlink/request.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { beginTransaction, commitTransaction, endTransaction } from '../netlink/transaction.ts';
import {
  NFNL_SUBSYS_NFTABLES,
  NFPROTO_INET,
  NFT_MSG_DELTABLE,
  NFT_MSG_GETRULE,
  NFT_MSG_GETSETELEM,
  NFT_MSG_NEWRULE,
  NFTA_RULE_TABLE,
  NFTA_SET_ELEM_LIST_SET,
  NFTA_SET_ELEM_LIST_TABLE,
  NFTA_TABLE_NAME,
} from './constants.ts';
import { copyElements } from './decode-element.ts';
import { groupBySet, type KeyedElements, recogniseElements } from './expected-elements.ts';
import { copyBoundaries, makeRanges } from './ranges-alone.ts';
import { type FoundSet, isOfLayout, readSets } from './read-sets.ts';
import { type SetLayout, setLayouts, tableName } from './set-layout.ts';
import { translationOf } from './translate-elements.ts';

/**
 * Every element of these sets, also of one that another version made with another type. Undefined when the table or one of
 * the sets is missing, or one cannot be understood. Throws KernelError.
 */
export function dumpElements(
  socket: NetlinkSocket,
  names: readonly SetName[] = setNames,
): readonly FilterElement[] | undefined {
  const wanted = setLayouts.filter((layout) => names.includes(layout.set));
  return unlessMissing(() => {
    const sets = readSets(socket);
    const elements: FilterElement[] = [];
    for (const layout of wanted) {
      const found = sets.get(layout.name);
      const read = found === undefined ? undefined : readFoundSet(socket, layout, found);
      if (read === undefined) return undefined;
      for (const element of read) elements.push(element);
    }
    return elements;
  });
}

/** Whether these sets are there and can be understood, be they of this version or of another. Throws KernelError. */
export function areLegible(socket: NetlinkSocket, names: readonly SetName[]): boolean {
  const sets = readSets(socket);
  return setLayouts
    .filter((layout) => names.includes(layout.set))
    .every((layout) => {
      const found = sets.get(layout.name);
      return found !== undefined && (isOfLayout(found, layout) || translationOf(found, layout) !== undefined);
    });
}

/** Every element of a set as it is found; undefined when it cannot be understood. Throws KernelError. */
export function readFoundSet(
  socket: NetlinkSocket,
  layout: SetLayout,
  found: FoundSet,
): readonly FilterElement[] | undefined {
  if (!isOfLayout(found, layout)) {
    const translate = translationOf(found, layout);
    return translate === undefined ? undefined : dumpSet(socket, layout, translate).flat();
  }
  return isOfRanges(layout)
    ? dumpRanges(socket, layout)
    : dumpSet(socket, layout, (message) => copyElements(message, layout)).flat();
}

/** Every element of every set by key, the expected ones themselves where they are there. Else as `dumpElements`. */
export function* readElements(
  socket: NetlinkSocket,
  eachExpected: Expected['eachElement'],
): Steps<Map<string, FilterElement> | undefined> {
  const expected = yield* groupBySet(eachExpected);
  yield;
  try {
    const elements = new LargeMap<FilterElement>();
    for (const set of setLayouts) {
      yield* isOfRanges(set) ? addRanges(elements, socket, set) : addRecognised(elements, socket, set, expected);
    }
    return elements;
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

function* addRanges(elements: Map<string, FilterElement>, socket: NetlinkSocket, set: SetLayout): Steps<void> {
  for (const element of dumpRanges(socket, set)) elements.set(filterElementKey(element), element);
  yield;
}

function* addRecognised(
  elements: Map<string, FilterElement>,
  socket: NetlinkSocket,
  set: SetLayout,
  expected: ReadonlyMap<string, KeyedElements>,
): Steps<void> {
  for (const found of yield* dumpSetSteps(socket, set, recogniseElements(set, expected))) {
    found.keys.forEach((key, index) => {
      const element = found.elements[index];
      if (element !== undefined) elements.set(key, element);
    });
    yield;
  }
}

function isOfRanges(set: SetLayout): boolean {
  return set.key === 'range';
}

function dumpRanges(socket: NetlinkSocket, set: SetLayout): readonly FilterElement[] {
  return makeRanges(set, dumpSet(socket, set, (message) => copyBoundaries(message, set)).flat());
}

function unlessMissing<Value>(read: () => Value | undefined): Value | undefined {
  try {
    return read();
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

function isMissing(thrown: unknown): boolean {
  return isKernelError(thrown) && thrown.errno === errno.ENOENT;
}

/** How many rules the table has, 0 without a table. Throws KernelError. */
export function countRules(socket: NetlinkSocket): number {
  const batch = createBatch(128);
  beginMessage(batch, NFT_MSG_GETRULE, 0);
  putNetfilterHeader(batch, NFPROTO_INET, 0, 0);
  putString(batch, NFTA_RULE_TABLE, tableName);
  endMessage(batch);
  return dump(socket, 'dump rules', batch, (message) => (message.type === NFT_MSG_NEWRULE ? true : undefined)).length;
}

/** Removes the table with all that is in it. Throws KernelError. */
export function deleteTable(target: { readonly socket: NetlinkSocket; readonly batch: Batch }): 'removed' | 'absent' {
  const { batch, socket } = target;
  beginTransaction(batch, NFNL_SUBSYS_NFTABLES);
  beginMessage(batch, NFT_MSG_DELTABLE, 0);
  putNetfilterHeader(batch, NFPROTO_INET, 0, 0);
  putString(batch, NFTA_TABLE_NAME, tableName);
  endMessage(batch);
  endTransaction(batch, NFNL_SUBSYS_NFTABLES);
  const outcome = commitTransaction(socket, batch);
  if (outcome.state === 'committed') return 'removed';
  const operation = `remove table ${tableName}`;
  if (outcome.state === 'unknown') throw new KernelError(operation, outcome.cause.errno, { cause: outcome.cause });
  const [failure] = outcome.failures;
  if (failure === undefined || failure.errno === errno.ENOENT) return 'absent';
  throw new KernelError(operation, failure.errno, { extendedAck: failure.extendedAck });
}

function dumpSet<Item>(socket: NetlinkSocket, set: SetLayout, read: ReadMessage<Item>): readonly Item[] {
  return finish(dumpSetSteps(socket, set, read));
}

function dumpSetSteps<Item>(
  socket: NetlinkSocket,
  set: SetLayout,
  reader: ReadMessage<Item> | PreparedReader<Item>,
): Steps<readonly Item[]> {
  const batch = createBatch(128);
  beginMessage(batch, NFT_MSG_GETSETELEM, 0);
  putNetfilterHeader(batch, NFPROTO_INET, 0, 0);
  putString(batch, NFTA_SET_ELEM_LIST_TABLE, tableName);
  putString(batch, NFTA_SET_ELEM_LIST_SET, set.name);
  endMessage(batch);
  return dumpSteps(socket, `dump set ${set.name}`, batch, reader);
}
