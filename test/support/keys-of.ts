/** The keys of a literal, with their type. */
export function keysOf<Key extends string>(record: Readonly<Partial<Record<Key, unknown>>>): readonly Key[] {
  // Object.keys widens, because a record may hold more than its type says; a literal does not.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.keys(record) as Key[];
}
