/**
 * A list to be kept: as long as what is in it, and one and the same for all that are empty. V8 makes room for sixteen more
 * when the first item is pushed, and never gives it back: of a list of one 152 bytes, of which 24 are used.
 */
export function exactList<Item>(list: readonly Item[]): readonly Item[] {
  return list.length === 0 ? empty : list.slice();
}

const empty: readonly never[] = Object.freeze([]);
