import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foreignAddress, live } from '../../support/live.ts';
import { fakePorts } from '../../support/node-ports.ts';
import { worlds } from '../../support/worlds.ts';

describe('in any world', () => {
  it.each(['address', 'route'] as const)(
    'the node holds what is wanted after each step, a second pass writes nothing, and nothing of sluice’s is left (mode %s)',
    async (mode) => {
      let lived = 0;
      await fc.assert(
        fc.asyncProperty(worlds(12), async (steps) => {
          const ports = await fakePorts({}, mode);
          ports.link.addAddress(foreignAddress);
          live(ports, steps, mode);
          lived += 1;
        }),
        { numRuns: 200 },
      );
      expect(lived).toBe(200);
    },
    120_000,
  );
});
