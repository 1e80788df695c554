/** The first pass: everything, in steps. */

import { allKeysSteps } from '../../core/all-keys.ts';
import { bySenioritySteps, setStanding } from '../../core/desired.ts';
import { filterElementKey, virtualServerKey } from '../../core/keys.ts';
import { LargeList, type LongList } from '../../core/large-list.ts';
import type { MarkHolders } from '../../core/marks.ts';
import type { ServiceFact } from '../../core/model/facts.ts';
import { viewSets } from '../../core/model/filter-element.ts';
import { standingElements } from '../../core/standing-elements.ts';
import { endsStep, filterSteps, listSteps, type Steps } from '../../core/steps.ts';
import { addLingering } from './lingering.ts';
import { compileInto } from './pass.ts';
import { carryOutSteps } from './pass-steps.ts';
import { readKernel } from './read-kernel.ts';
import type { PassOutcome, ReconcilerState } from './state.ts';
import { startStopwatch } from './stopwatch.ts';

/**
 * Everything is compiled before the kernel is read, so that the reading can share what is as it should be. Marks alone
 * are asked for before: they are taken over from the kernel.
 */
export function* startSteps(state: ReconcilerState): Steps<PassOutcome> {
  const stopwatch = startStopwatch(state.options.now);
  const holders = readOnce(() => readMarkHolders(state));
  setStanding(state.desired, standingElements(state.context));
  yield;
  const services = yield* compileAll(state, yield* bySenioritySteps(state.facts.services.values()), holders);
  // A start that failed may have compiled Services that are gone by now.
  const compiled = yield* listSteps(state.desired.contributions.keys());
  const gone = yield* filterSteps(compiled, (key) => !state.facts.services.has(key));
  yield* compileAll(
    state,
    gone.map((key) => ({ key })),
    holders,
  );
  stopwatch.lap('compileMs');
  const census = yield* readKernel(state);
  const there = yield* listSteps(state.actual.virtualServers.keys());
  addLingering(state, yield* filterSteps(there, (key) => !state.desired.resources.has(key)));
  stopwatch.lap('readMs');
  yield;
  const keys = yield* allKeysSteps(state.desired, state.actual);
  const outcome = yield* carryOutSteps(state, { trigger: 'start', services, keys, census, stopwatch });
  state.isStarted = true;
  return outcome;
}

/** The keys of all. */
function* compileAll(
  state: ReconcilerState,
  services: Iterable<Pick<ServiceFact, 'key'>>,
  holders: () => MarkHolders,
): Steps<LongList<string>> {
  const keys = new LargeList<string>();
  for (const { key } of services) {
    compileInto(state, key, holders);
    keys.push(key);
    if (endsStep(keys.length, stepServices)) {
      yield;
    }
  }
  return keys;
}

const stepServices = 8;

function readMarkHolders(state: ReconcilerState): MarkHolders {
  const { ipvs, filter } = state.options.ports;
  const elements = filter.dump(viewSets) ?? [];
  return {
    elements: new Map(elements.map((element) => [filterElementKey(element), element])),
    virtualServers: new Set(ipvs.dumpMarks().map(virtualServerKey)),
  };
}

function readOnce<Value extends object>(read: () => Value): () => Value {
  let value: Value | undefined;
  return () => {
    value ??= read();
    return value;
  };
}
