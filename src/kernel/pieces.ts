import type { Plan } from '../core/model/operation.ts';

/** Operations that take a few milliseconds. An address among ten thousand takes the kernel as long as forty destinations. */
const longest: Readonly<Record<keyof Plan, number>> = {
  claim: 2_000,
  make: 4_000,
  guard: 2_000,
  expose: 100,
  quiesce: 4_000,
  hide: 100,
  unguard: 2_000,
  remove: 4_000,
  disclaim: 2_000,
};

/** Plans that have the operations of one phase in pieces, in order; none where it has none. */
export function* piecesOf(plan: Plan, phase: keyof Plan): Generator<Plan, void, undefined> {
  const operations = plan[phase];
  for (let from = 0; from < operations.length; from += longest[phase]) {
    yield { ...plan, [phase]: operations.slice(from, from + longest[phase]) };
  }
}
