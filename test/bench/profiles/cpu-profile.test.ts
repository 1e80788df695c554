import { expect, it } from 'vitest';
import { selfTimes } from './cpu-profile.ts';

it('counts the time before a sample for the function that the sample met', () => {
  const times = selfTimes({ nodes: [], samples: [1, 2, 1], timeDeltas: [500, 20_000, 1_000] });
  expect([...times]).toEqual([
    [1, 1.5],
    [2, 20],
  ]);
});
