import type { Actual } from './actual.ts';
import type { Desired } from './desired.ts';
import type { LongList } from './large-list.ts';
import { endsStep, finish, listSteps, type Steps } from './steps.ts';

/** Every resource that is wanted or there, once each: the input of a full pass. */
export function allKeys(desired: Desired, actual: Actual): LongList<string> {
  return finish(allKeysSteps(desired, actual));
}

/** The same in steps: what comes or goes between them may be missing or twice. */
export function* allKeysSteps(desired: Desired, actual: Actual): Steps<LongList<string>> {
  const keys = yield* listSteps(desired.resources.keys());
  for (const there of [actual.virtualServers, actual.vips, actual.elements]) {
    let index = 0;
    for (const key of there.keys()) {
      if (!desired.resources.has(key)) {
        keys.push(key);
      }
      if (endsStep(index, lookedAtOnce)) {
        yield;
      }
      index += 1;
    }
  }
  return keys;
}

const lookedAtOnce = 1_000;
