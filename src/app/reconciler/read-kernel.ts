/**
 * Reads and adopts everything, in steps. Passes may write to the kernel between them: of what they touched, what they left
 * is believed and not what was read, which may have been before.
 */

import { resourceKeyOf } from '../../core/actual.ts';
import { type Census, takeCensus } from '../../core/census.ts';
import { expectedOf } from '../../core/desired.ts';
import { LargeMap } from '../../core/large-map.ts';
import type { FilterElement } from '../../core/model/filter-element.ts';
import type { Steps } from '../../core/steps.ts';
import type { Execution } from '../../kernel/execution.ts';
import type { OpenReading, ReconcilerState } from './state.ts';

export function* readKernel(state: ReconcilerState): Steps<Census> {
  const reading: OpenReading = { touched: new Set(), isContradicted: false };
  state.reading = reading;
  try {
    yield* adopt(state, reading);
    state.isUncertain = reading.isContradicted;
  } finally {
    state.reading = undefined;
  }
  yield;
  return yield* takeCensus(state.actual, expectedOf(state.desired));
}

function* adopt(state: ReconcilerState, { touched }: OpenReading): Steps<void> {
  const { ipvs, link, filter } = state.options.ports;
  const expected = expectedOf(state.desired);
  const virtualServers = yield* ipvs.read(expected);
  yield;
  const vips = yield* link.readVips(expected.eachVip);
  yield;
  const elements = (yield* filter.read(expected.eachElement)) ?? new LargeMap<FilterElement>();
  for (const key of touched) {
    keep(virtualServers, state.actual.virtualServers, key);
    keep(vips, state.actual.vips, key);
    keep(elements, state.actual.elements, key);
  }
  state.actual = { virtualServers, vips, elements };
}

function keep<Value>(read: Map<string, Value>, believed: ReadonlyMap<string, Value>, key: string): void {
  const value = believed.get(key);
  if (value === undefined) {
    read.delete(key);
  } else {
    read.set(key, value);
  }
}

/** Notes what was done, or may have been. */
export function noteTouched({ reading }: ReconcilerState, { performed, failed }: Execution): void {
  if (reading === undefined) {
    return;
  }
  for (const operation of performed) {
    reading.touched.add(resourceKeyOf(operation));
  }
  for (const { operation } of failed) {
    reading.touched.add(resourceKeyOf(operation));
  }
}

/** What is believed of the kernel may be wrong, also what a reading that goes on has already found. */
export function distrust(state: ReconcilerState): void {
  state.isUncertain = true;
  if (state.reading !== undefined) {
    state.reading.isContradicted = true;
  }
}
