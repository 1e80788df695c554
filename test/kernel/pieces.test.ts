import { expect, test } from 'vitest';
import { emptyPlan } from '../../src/core/plan.ts';
import { piecesOf } from '../../src/kernel/pieces.ts';

test.each([
  [1_000, 50],
  [10_000, 50],
  [50_000, 10],
])('of %i VIPs each has %i, for the kernel compares an address with all others', (count, expected) => {
  const expose = Array.from({ length: count }, (_each, index) => {
    return { kind: 'add-vip', vip: { address: `10.96.${index >> 8}.${index & 0xff}`, source: undefined } } as const;
  });
  const pieces = [...piecesOf({ ...emptyPlan, expose }, 'expose')].map((piece) => piece.expose);
  expect(pieces.flat()).toEqual(expose);
  expect(Math.max(...pieces.map(({ length }) => length))).toBe(expected);
  expect(pieces).toHaveLength(count / expected);
});
