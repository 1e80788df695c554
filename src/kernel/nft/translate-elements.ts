/** Reads the elements of a set that another version made with another type. */

import type { FilterElement } from '../../core/model/filter-element.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import { eachElement, makeElement, type ShownElement } from './decode-element.ts';
import type { FoundSet } from './read-sets.ts';
import { type FieldType, fieldLength, hasRanges, keyFields, keyLength, type SetLayout } from './set-layout.ts';

type Translation = (message: MessageCursor) => readonly FilterElement[];

/**
 * How elements of `found` are read as those of `set`: every field of our keys is taken from the one of the same type, a
 * second one from the last of that type. Undefined when a field is missing, or where one of the two has ranges.
 */
export function translationOf(found: FoundSet, set: SetLayout): Translation | undefined {
  const moves = found.fields === undefined ? undefined : movesBetween(found.fields, keyFields(set));
  if (moves === undefined || found.hasRanges || hasRanges(set) || (set.isMap && !found.hasMarks)) return undefined;
  const foundBytes = lengthOf(found.fields ?? []);
  return (message) => {
    const elements: FilterElement[] = [];
    eachElement(message, foundBytes, (shown) => {
      const element = makeElement(set, withKey(shown, moves, keyLength(set)));
      if (element !== undefined) elements.push(element);
    });
    return elements;
  };
}

interface Move {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

function movesBetween(found: readonly FieldType[], wanted: readonly FieldType[]): readonly Move[] | undefined {
  const moves = wanted.map((field, index): Move | undefined => {
    const places = found.flatMap((each, place) => (each === field ? [place] : []));
    const nth = wanted.slice(0, index).filter((each) => each === field).length;
    const place = places[Math.min(nth, places.length - 1)];
    if (place === undefined) return undefined;
    const from = lengthOf(found.slice(0, place));
    return { from, to: lengthOf(wanted.slice(0, index)), length: fieldLength(field) };
  });
  const known = moves.filter((move) => move !== undefined);
  return known.length === moves.length ? known : undefined;
}

function lengthOf(fields: readonly FieldType[]): number {
  return fields.reduce((sum, field) => sum + fieldLength(field), 0);
}

function withKey(shown: ShownElement, moves: readonly Move[], length: number): ShownElement {
  const bytes = Buffer.alloc(length);
  for (const move of moves) {
    const from = shown.keyAt + move.from;
    bytes.set(shown.bytes.subarray(from, from + move.length), move.to);
  }
  return { ...shown, bytes, view: new DataView(bytes.buffer, bytes.byteOffset, length), keyAt: 0, keyEndAt: -1 };
}
