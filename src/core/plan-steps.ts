import { resourceKeyOf } from './actual.ts';
import { LargeList, type LongList } from './large-list.ts';
import type { FilterOperation, IpvsOperation, LargePlan, VipOperation } from './model/operation.ts';
import { type Draft, makePlan, type PlanInput, phases, planInto } from './plan.ts';
import { keysInSteps, type Steps } from './steps.ts';

interface ListedInput extends PlanInput {
  readonly keys: LongList<string>;
}

/** `makePlan` in steps: nothing of the input may change between them. */
export function* planSteps(input: ListedInput): Steps<LargePlan> {
  const draft = emptyLargeDraft();
  for (const keys of keysInSteps(input.keys, plannedAtOnce)) {
    planInto(draft, { ...input, keys });
    yield;
  }
  return draft;
}

/** Each may be a virtual server with any number of destinations. */
const plannedAtOnce = 250;

function emptyLargeDraft(): Draft & LargePlan {
  return {
    claim: new LargeList<FilterOperation>(),
    make: new LargeList<IpvsOperation>(),
    guard: new LargeList<FilterOperation>(),
    expose: new LargeList<VipOperation>(),
    quiesce: new LargeList<IpvsOperation>(),
    hide: new LargeList<VipOperation>(),
    unguard: new LargeList<FilterOperation>(),
    remove: new LargeList<IpvsOperation>(),
    disclaim: new LargeList<FilterOperation>(),
  };
}

/** The keys of resources that are not there as they are wanted. What changes between the steps may be missing. */
export function* differingKeys(input: ListedInput): Steps<readonly string[]> {
  const differing: string[] = [];
  for (const keys of keysInSteps(input.keys, plannedAtOnce)) {
    const plan = makePlan({ ...input, keys });
    for (const phase of phases) {
      for (const operation of plan[phase]) {
        differing.push(resourceKeyOf(operation));
      }
    }
    for (const key of keys) {
      if (hasOtherDestinations(input, key)) {
        differing.push(key);
      }
    }
    yield;
  }
  return differing;
}

/** One that drains differs without an operation. */
function hasOtherDestinations({ desired, actual }: ListedInput, key: string): boolean {
  const there = actual.virtualServers.get(key);
  const wanted = there === undefined ? undefined : desired.resources.get(key);
  return wanted?.kind === 'virtual-server' && wanted.value.destinations !== there?.destinations;
}
