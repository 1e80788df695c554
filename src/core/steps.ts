/** Long work in steps, between which whoever does it may let others have their turn. */

import { LargeList, type LongList } from './large-list.ts';

/** Each `next` does one step. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** Does all steps at once. */
export function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) {
      return step.value;
    }
  }
}

/** Whether a step ends behind this item: one of `stepItems` takes a few milliseconds at most. */
export function endsStep(index: number, stepItems: number): boolean {
  return index % stepItems === stepItems - 1;
}

/** So many resource keys at a time as are looked at in a few milliseconds, unless told otherwise. */
export function* keysInSteps(
  keys: LongList<string>,
  stepKeys = lookedAtOnce,
): Generator<readonly string[], void, undefined> {
  for (let from = 0; from < keys.length; from += stepKeys) {
    yield keys.slice(from, from + stepKeys);
  }
}

/** The keys that are accepted, in their order. */
export function* filterSteps(keys: LongList<string>, accepts: (key: string) => boolean): Steps<readonly string[]> {
  const accepted: string[] = [];
  for (const some of keysInSteps(keys)) {
    accepted.push(...some.filter(accepts));
    yield;
  }
  return accepted;
}

/** What an iterator gives, as it is when it gives it. */
export function* listSteps<Item>(items: Iterable<Item>): Steps<LargeList<Item>> {
  const list = new LargeList<Item>();
  for (const item of items) {
    list.push(item);
    if (endsStep(list.length, lookedAtOnce)) {
      yield;
    }
  }
  return list;
}

const lookedAtOnce = 1_000;
