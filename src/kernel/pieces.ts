import type { LargePlan, Plan } from '../core/model/operation.ts';
import { emptyPlan } from '../core/plan.ts';

/**
 * Operations that take a few milliseconds; 700 new destinations are one send of 64 KiB. An address among ten thousand takes
 * the kernel as long as forty destinations.
 */
const longest: Readonly<Record<keyof Plan, number>> = {
  claim: 500,
  make: 700,
  guard: 500,
  expose: 50,
  quiesce: 1_000,
  hide: 50,
  unguard: 500,
  remove: 1_000,
  disclaim: 500,
};

/** Plans that have the operations of one phase in pieces, in order; none where it has none. */
export function* piecesOf(plan: LargePlan, phase: keyof Plan): Generator<Plan, void, undefined> {
  const operations = plan[phase];
  for (let from = 0; from < operations.length; from += longest[phase]) {
    yield { ...emptyPlan, [phase]: operations.slice(from, from + longest[phase]) };
  }
}
