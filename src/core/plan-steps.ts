import type { Plan } from './model/operation.ts';
import { makePlan, type PlanInput } from './plan.ts';
import type { Steps } from './steps.ts';

/** Keys that are compared in a few milliseconds. */
const stepKeys = 4_000;

/** `makePlan` in steps: nothing of the input may change between them. */
export function* planSteps(input: PlanInput & { readonly keys: readonly string[] }): Steps<Plan> {
  const parts: Plan[] = [];
  for (let from = 0; from < input.keys.length; from += stepKeys) {
    parts.push(makePlan({ ...input, keys: input.keys.slice(from, from + stepKeys) }));
    yield;
  }
  return {
    claim: parts.flatMap(({ claim }) => claim),
    make: parts.flatMap(({ make }) => make),
    guard: parts.flatMap(({ guard }) => guard),
    expose: parts.flatMap(({ expose }) => expose),
    quiesce: parts.flatMap(({ quiesce }) => quiesce),
    hide: parts.flatMap(({ hide }) => hide),
    unguard: parts.flatMap(({ unguard }) => unguard),
    remove: parts.flatMap(({ remove }) => remove),
    disclaim: parts.flatMap(({ disclaim }) => disclaim),
  };
}
