/** Whether two lists have the same items in the same order. */
export function isSameList<Item>(
  one: readonly Item[],
  other: readonly Item[],
  isSame: (item: Item, its: Item | undefined) => boolean = Object.is,
): boolean {
  return one.length === other.length && one.every((item, index) => isSame(item, other[index]));
}
