/** Reads the kernel again and mends what differs. Nearly always that is nothing, and changes go on meanwhile. */

import { allKeysSteps } from '../../core/all-keys.ts';
import { isHealthCheckKey } from '../../core/keys.ts';
import { differingKeys } from '../../core/plan-steps.ts';
import { filterSteps, type Steps } from '../../core/steps.ts';
import { planInput } from './pass.ts';
import { carryOutSteps } from './pass-steps.ts';
import { readKernel } from './read-kernel.ts';
import type { PassOutcome, ReconcilerState } from './state.ts';
import { startStopwatch } from './stopwatch.ts';

export function* auditSteps(state: ReconcilerState): Steps<PassOutcome> {
  const stopwatch = startStopwatch(state.options.now);
  const census = yield* readKernel(state);
  stopwatch.lap('readMs');
  const all = yield* allKeysSteps(state.desired, state.actual);
  const differing = yield* differingKeys(planInput(state, { keys: all }));
  // Their servers are no concern of the kernel: whether they listen is not known here.
  const healthChecks = yield* filterSteps(all, isHealthCheckKey);
  // Only what is known to differ is looked at once more, when nobody changes it.
  const keys = new Set([...differing, ...state.failing, ...drained(state), ...healthChecks]);
  state.isExclusive = true;
  try {
    return yield* carryOutSteps(state, { trigger: 'audit', services: [], keys: [...keys], census, stopwatch });
  } finally {
    state.isExclusive = false;
  }
}

/** Somebody may have removed them. */
function drained({ drains }: ReconcilerState): readonly string[] {
  return [...drains.servers.keys()];
}
