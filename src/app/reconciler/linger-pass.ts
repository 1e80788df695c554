/** Looks after the frontends of deleted Services. */

import { countActive, endLingering } from './lingering.ts';
import { carryOut } from './pass.ts';
import type { PassOutcome, ReconcilerState } from './state.ts';
import { startTimer } from './stopwatch.ts';

/** Lets go of those of these frontends whose last connection is gone or whose grace is over. Undefined when there is none. */
export function lingerPass(state: ReconcilerState, frontends: readonly string[]): PassOutcome | undefined {
  const stopwatch = startTimer(state.options.now);
  const now = state.options.now();
  const over = frontends.filter((frontend) => {
    // It may have been taken since the list was made.
    const deadline = state.lingering.get(frontend);
    return deadline !== undefined && (deadline <= now || countActive(state, frontend) === 0);
  });
  if (over.length === 0) {
    return undefined;
  }
  return carryOut(state, { trigger: 'drain', services: [], keys: endLingering(state, over), stopwatch });
}
