import { vi } from 'vitest';

/** As many turns of the event loop as a first pass over a few Services takes, where timers are fake: each is a millisecond. */
export async function takeTurns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) {
    await vi.advanceTimersByTimeAsync(1);
  }
}
