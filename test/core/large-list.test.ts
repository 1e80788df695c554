import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LargeList } from '../../src/core/large-list.ts';

test.each([1, 3, 100])('gives what an array gives, in parts of %i', (partLength) => {
  const position = fc.nat({ max: 25 });
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat())), position, position, (items, from, to) => {
      const list = new LargeList<number | null>(partLength);
      items.forEach((item) => list.push(item));
      expect(list.length).toBe(items.length);
      expect([...list]).toStrictEqual(items);
      expect(list.at(from)).toBe(items.at(from));
      expect(list.slice(from, to)).toStrictEqual(items.slice(from, to));
    }),
  );
});
