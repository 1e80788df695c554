import type { Steps } from '../core/steps.ts';

/** Health checks, metrics and the watches are answered between two slices. */
const sliceMs = 4;

/** Does the steps with turns of the event loop in between. Undefined when `goesOn` says no after one. */
export async function inSlices<Result>(steps: Steps<Result>, goesOn: () => boolean): Promise<Result | undefined> {
  for (;;) {
    const began = performance.now();
    do {
      const step = steps.next();
      if (step.done === true) {
        return step.value;
      }
    } while (performance.now() - began < sliceMs);
    await nextTurn();
    if (!goesOn()) {
      return undefined;
    }
  }
}

/**
 * The first step at once, the others in slices, from the next turn on. Where one step is all, as after a change, nobody asks
 * for the time: that is a system call on some machines.
 */
export function inSlicesAfterFirst(steps: Steps<void>): void {
  if (steps.next().done !== true) {
    void nextTurn().then(() => inSlices(steps, () => true));
  }
}

/** Lets everything else that waits have its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
