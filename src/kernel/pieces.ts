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
  const length = lengthOf(phase, operations.length);
  for (let from = 0; from < operations.length; from += length) {
    yield { ...emptyPlan, [phase]: operations.slice(from, from + length) };
  }
}

/** The kernel compares an address with all others of the interface (inet_insert_ifa in net/ipv4/devinet.c). */
function lengthOf(phase: keyof Plan, count: number): number {
  const isOfAddresses = phase === 'expose' || phase === 'hide';
  return isOfAddresses ? Math.min(longest[phase], Math.ceil(comparisons / count)) : longest[phase];
}

/** Fifty addresses among ten thousand. */
const comparisons = 500_000;
