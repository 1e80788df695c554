import { afterEach, describe, expect, it, vi } from 'vitest';
import { inSlices, inSlicesAfterFirst, nextTurn } from '../../src/app/slices.ts';
import type { Steps } from '../../src/core/steps.ts';

/** Milliseconds that each step takes by the clock. */
const stepMs = 3;
let clock = 0;
const now = vi.spyOn(performance, 'now');

afterEach(() => {
  now.mockReset();
});

/** Says which step it does. */
function* work(name: string, steps: number, done: string[]): Steps<string> {
  for (let step = 1; step <= steps; step += 1) {
    clock += stepMs;
    done.push(`${name}${step}`);
    if (step < steps) yield;
  }
  return name;
}

/** What was done by the end of each turn, this one first. */
async function turns(count: number, done: readonly string[]): Promise<readonly string[]> {
  const seen: string[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    const before = seen.join(' ').split(' ').filter(Boolean).length;
    seen.push(done.slice(before).join(' '));
    await nextTurn();
  }
  return seen;
}

describe('work in slices', () => {
  it('does as many steps in a turn as fit, and says what came of it', async () => {
    now.mockImplementation(() => clock);
    const done: string[] = [];
    const outcome = inSlices(work('a', 5, done), () => true);
    expect(await turns(3, done)).toEqual(['a1 a2', 'a3 a4', 'a5']);
    expect(await outcome).toBe('a');
  });

  it('ends where it is not to go on', async () => {
    now.mockImplementation(() => clock);
    const done: string[] = [];
    expect(await inSlices(work('a', 5, done), () => false)).toBeUndefined();
    expect(done).toEqual(['a1', 'a2']);
  });
});

describe('work whose first step is done at once', () => {
  it('leaves the turn that asked for it to what comes behind', async () => {
    now.mockImplementation(() => clock);
    const done: string[] = [];
    inSlicesAfterFirst(finished(work('a', 4, done)));
    expect(await turns(3, done)).toEqual(['a1', 'a2 a3', 'a4']);
  });

  it('asks for no time where that step is all', () => {
    now.mockImplementation(() => clock);
    const done: string[] = [];
    inSlicesAfterFirst(finished(work('a', 1, done)));
    expect(done).toEqual(['a1']);
    expect(now).not.toHaveBeenCalled();
  });
});

function* finished(steps: Steps<string>): Steps<void> {
  yield* steps;
}
