import type { Reconciler } from '../../src/app/reconciler/reconciler.ts';
import type { PassOutcome } from '../../src/app/reconciler/state.ts';

/** Looks after everything that drains, as the loop does in turns; the first pass that removed something. */
export function drain(reconciler: Reconciler): PassOutcome | undefined {
  return reconciler
    .drainPasses()
    .map((pass) => pass())
    .find((outcome) => outcome !== undefined);
}
