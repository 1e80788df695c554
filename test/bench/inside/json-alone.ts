/**
 * How long a kernel keeps the event loop of any program from turning: the JSON of a cluster's Services and EndpointSlices
 * is parsed and kept in slices as long as the agent's, and nothing else is done. Argument: a `Size` as JSON.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { inSlices } from '../../../src/app/slices.ts';
import { endsStep, type Steps } from '../../../src/core/steps.ts';
import type { Size } from '../result.ts';
import { readArgument, tell } from './child.ts';
import { serviceObject, sliceObject } from './objects.ts';

export interface JsonAloneAnswer {
  readonly objects: number;
  readonly tookMs: number;
  readonly longestPauseMs: number;
  /** At the end, with what was to be parsed. */
  readonly residentMiB: number;
}

/** As in the agent's probe. */
const resolutionMs = 2;
/** As many as the agent compiles in a step. */
const stepObjects = 8;

tell(await measure(linesOf(readArgument<Size>())));

async function measure(lines: readonly Buffer[]): Promise<JsonAloneAnswer> {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  const began = performance.now();
  const kept = await inSlices(parseSteps(lines), () => true);
  const tookMs = performance.now() - began;
  delays.disable();
  return {
    objects: kept?.length ?? 0,
    tookMs,
    longestPauseMs: delays.max / 1e6,
    residentMiB: process.memoryUsage.rss() / 2 ** 20,
  };
}

function* parseSteps(lines: readonly Buffer[]): Steps<readonly unknown[]> {
  const kept: unknown[] = [];
  for (const [index, line] of lines.entries()) {
    kept.push(JSON.parse(line.toString()));
    if (endsStep(index, stepObjects)) {
      yield;
    }
  }
  return kept;
}

/** Outside of the heap that V8 collects garbage in. */
function linesOf(size: Size): readonly Buffer[] {
  return Array.from({ length: size.services }, (_, index) => [
    Buffer.from(JSON.stringify(serviceObject(size, index))),
    Buffer.from(JSON.stringify(sliceObject(size, index, size.endpoints, 1))),
  ]).flat();
}
