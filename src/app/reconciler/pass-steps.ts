/** A large pass in steps: nothing else may change what is wanted or what is there between them. */

import { advanceSteps } from '../../core/actual.ts';
import { expectedOf } from '../../core/desired.ts';
import { trackDrainsSteps } from '../../core/drain.ts';
import { isHealthCheckKey } from '../../core/keys.ts';
import type { LongList } from '../../core/large-list.ts';
import { planSteps } from '../../core/plan-steps.ts';
import { filterSteps, type Steps } from '../../core/steps.ts';
import { executeSteps } from '../../kernel/executor.ts';
import { conclude, noteTried, type PlannedPass, planInput } from './pass.ts';
import type { PassOutcome, ReconcilerState } from './state.ts';

/** Plans for these keys, carries the plan out and takes the result into account. */
export function* carryOutSteps(
  state: ReconcilerState,
  pass: PlannedPass & { readonly keys: LongList<string> },
): Steps<PassOutcome> {
  const plan = yield* planSteps({ ...planInput(state, pass), keys: pass.keys });
  noteTried(state, pass);
  const execution = yield* executeSteps(plan, state.options.ports);
  yield* advanceSteps(state.actual, execution.performed, expectedOf(state.desired));
  yield* trackDrainsSteps(state.drains, state, pass.keys);
  const healthChecks = yield* filterSteps(pass.keys, isHealthCheckKey);
  return conclude(state, pass, { plan, execution, healthChecks });
}
