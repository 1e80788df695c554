import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foreignAddress, live } from '../../support/live.ts';
import { fakePorts } from '../../support/node-ports.ts';
import { worlds } from '../../support/worlds.ts';

describe('in any world', () => {
  it('the node holds what is wanted after each step, a second pass writes nothing, and nothing of sluice’s is left', async () => {
    let lived = 0;
    await fc.assert(
      fc.asyncProperty(worlds(12), async (steps) => {
        const ports = await fakePorts();
        ports.link.addAddress(foreignAddress);
        live(ports, steps);
        lived += 1;
      }),
      { numRuns: 300 },
    );
    expect(lived).toBe(300);
  }, 120_000);
});
