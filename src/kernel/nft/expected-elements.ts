/** The elements that a set should have, looked up by the bytes that the kernel shows. */

import type { Expected } from '../../core/actual.ts';
import { filterElementKey } from '../../core/keys.ts';
import type { FilterElement } from '../../core/model/filter-element.ts';
import { endsStep, type Steps } from '../../core/steps.ts';
import { addKey, clearKeyIndex, createKeyIndex, findKey, type KeyIndex } from '../key-index.ts';
import type { PreparedReader } from '../netlink/dump.ts';
import type { ReadMessage } from '../netlink/request.ts';
import { eachElement, makeElement, type ShownElement } from './decode-element.ts';
import { writeKey } from './encode-element.ts';
import { hasRanges, keyLength, layoutOf, type SetLayout } from './set-layout.ts';

/** Elements and their keys (`filterElementKey`), one for one. */
export interface KeyedElements {
  readonly keys: string[];
  readonly elements: FilterElement[];
}

/** What is expected, by name of the set. */
export function* groupBySet(eachExpected: Expected['eachElement']): Steps<ReadonlyMap<string, KeyedElements>> {
  const groups = new Map<string, KeyedElements>();
  yield* eachExpected((key, element) => {
    const { name } = layoutOf(element);
    let group = groups.get(name);
    if (group === undefined) {
      group = { keys: [], elements: [] };
      groups.set(name, group);
    }
    group.keys.push(key);
    group.elements.push(element);
  });
  return groups;
}

/** Reads the answers to a dump of `set`: the expected elements where they are there, new ones for the others. */
export function recogniseElements(
  set: SetLayout,
  groups: ReadonlyMap<string, KeyedElements>,
): PreparedReader<KeyedElements> {
  const none: KeyedElements = { keys: [], elements: [] };
  // A range has two keys, and there are few of them.
  const expected = hasRanges(set) ? none : (groups.get(set.name) ?? none);
  const keyBytes = keyLength(set);
  const positions = createKeyIndex(keyBytes / 4);
  const prepare = () => fillIndex(positions, expected.elements);
  const read: ReadMessage<KeyedElements> = (message) => {
    const found: KeyedElements = { keys: [], elements: [] };
    eachElement(message, keyBytes, (shown) => {
      const position = findShown(positions, shown);
      const known = expected.elements[position];
      const isKnown = known !== undefined && (!set.isMap || ('mark' in known && known.mark === shown.mark));
      const element = isKnown ? known : makeElement(set, shown);
      if (element !== undefined) {
        found.keys.push((isKnown ? expected.keys[position] : undefined) ?? filterElementKey(element));
        found.elements.push(element);
      }
    });
    return found;
  };
  return { prepare, concerns: () => true, read };
}

function* fillIndex(index: KeyIndex, elements: readonly FilterElement[]): Steps<void> {
  clearKeyIndex(index, elements.length);
  for (const element of elements) {
    index.key.fill(0);
    writeKey(index.keyBytes, element);
    addKey(index);
    if (endsStep(index.count, indexedAtOnce)) {
      yield;
    }
  }
}

const indexedAtOnce = 512;

function findShown(index: KeyIndex, { view, keyAt }: ShownElement): number {
  const { key } = index;
  for (let word = 0; word < key.length; word += 1) {
    key[word] = view.getUint32(keyAt + word * 4, true);
  }
  return findKey(index);
}
