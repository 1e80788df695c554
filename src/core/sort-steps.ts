import { LargeList, type LongList } from './large-list.ts';
import { endsStep, type Steps } from './steps.ts';

/** Sorted as `toSorted` does it, in steps: some at a time, and what is sorted brought together two by two. */
export function* sortSteps<Item>(
  items: LongList<Item>,
  compare: (one: Item, other: Item) => number,
): Steps<LongList<Item>> {
  let runs: LongList<Item>[] = [];
  for (let from = 0; from < items.length; from += sortedAtOnce) {
    runs.push(items.slice(from, from + sortedAtOnce).toSorted(compare));
    yield;
  }
  while (runs.length > 1) {
    const longer: LongList<Item>[] = [];
    for (let index = 0; index < runs.length; index += 2) {
      longer.push(yield* mergeSteps(runs[index] ?? [], runs[index + 1] ?? [], compare));
    }
    runs = longer;
  }
  return runs[0] ?? [];
}

function* mergeSteps<Item>(
  ones: LongList<Item>,
  others: LongList<Item>,
  compare: (one: Item, other: Item) => number,
): Steps<LongList<Item>> {
  const merged = new LargeList<Item>();
  let nextOther = 0;
  for (const one of ones) {
    for (
      let other = others.at(nextOther);
      other !== undefined && compare(other, one) < 0;
      other = others.at(nextOther)
    ) {
      nextOther += 1;
      merged.push(other);
      if (endsStep(merged.length, sortedAtOnce)) {
        yield;
      }
    }
    merged.push(one);
    if (endsStep(merged.length, sortedAtOnce)) {
      yield;
    }
  }
  for (let other = others.at(nextOther); other !== undefined; other = others.at(nextOther)) {
    nextOther += 1;
    merged.push(other);
    if (endsStep(merged.length, sortedAtOnce)) {
      yield;
    }
  }
  return merged;
}

/** A few milliseconds, while the code is interpreted. */
const sortedAtOnce = 512;
