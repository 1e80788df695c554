import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sortSteps } from '../../src/core/sort-steps.ts';
import { finish } from '../../src/core/steps.ts';

interface Item {
  readonly rank: number;
  readonly nth: number;
}

const byRank = (one: Item, other: Item) => one.rank - other.rank;

test('sorts as toSorted does, what is equal in its order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 3_000, size: 'max' }), (ranks) => {
      const items = ranks.map((rank, nth): Item => ({ rank, nth }));
      expect([...finish(sortSteps(items, byRank))]).toStrictEqual(items.toSorted(byRank));
    }),
    { numRuns: 50 },
  );
});

test('compares no more in a step than it takes to sort 512', () => {
  let compared = 0;
  const most: number[] = [];
  const items = Array.from({ length: 50_000 }, (_each, nth): Item => ({ rank: (nth * 7_919) % 50_000, nth }));
  const steps = sortSteps(items, (one, other) => {
    compared += 1;
    return byRank(one, other);
  });
  for (let step = steps.next(); step.done !== true; step = steps.next()) {
    most.push(compared);
    compared = 0;
  }
  expect(most.length).toBeGreaterThan(100);
  expect(Math.max(...most)).toBeLessThan(5_120);
});
