/**
 * How long a kernel keeps the event loop of any program from turning: the JSON of a cluster's Services and EndpointSlices
 * is parsed and kept under its name in slices as long as the agent's, and so are as many names more as the agent has of what
 * it programs. Nothing else is done. Argument: a `Size` as JSON.
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
    objects: kept === undefined ? 0 : kept.Service.size + kept.EndpointSlice.size,
    tookMs,
    longestPauseMs: delays.max / 1e6,
    residentMiB: process.memoryUsage.rss() / 2 ** 20,
  };
}

interface ParsedObject {
  readonly kind: 'Service' | 'EndpointSlice';
  readonly metadata: { readonly name: string };
}

interface Kept extends Readonly<Record<ParsedObject['kind'], Map<string, ParsedObject>>> {
  readonly named: Map<string, ParsedObject>;
}

/** Of each Service: a virtual server, its VIP, and three elements of sets. */
const namesOfService = 5;

function* parseSteps(lines: readonly Buffer[]): Steps<Kept> {
  const kept: Kept = { Service: new Map(), EndpointSlice: new Map(), named: new Map() };
  for (const [index, line] of lines.entries()) {
    // Made below.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const object = JSON.parse(line.toString()) as ParsedObject;
    kept[object.kind].set(object.metadata.name, object);
    for (let number = 0; object.kind === 'Service' && number < namesOfService; number += 1) {
      kept.named.set(`${object.metadata.name} ${number}`, object);
    }
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
