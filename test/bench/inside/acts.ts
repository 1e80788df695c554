/** What happens to an agent in the course of its life, one act after the other. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ActName, Size } from '../result.ts';
import { median } from '../statistics.ts';
import type { ApiServer } from './api-server.ts';
import { otherEndpoints, roundsOfChanges } from './endpoint-changes.ts';
import { type SliceEndpoint, serviceObject, sliceObject, sliceWith } from './objects.ts';
import type { Judge } from './peers/judge.ts';
import { requireMs } from './shipped-agent.ts';
import { clusterIP, servicePort } from './world.ts';

export interface Scene {
  readonly size: Size;
  readonly server: ApiServer;
  readonly judge: Judge;
  /** Looks on while something happens, without what prepares it. Called once in an act. */
  readonly watch: <Value>(happening: () => Promise<Value>) => Promise<Value>;
}

export interface Played {
  /** What the API server told of. */
  readonly events: number;
  /** From an event to the kernel, the median of the repetitions; or from the first of many to the last in the kernel. */
  readonly tookMs: number;
}

export type PlayedName = Exclude<ActName, 'cold start' | 'restart'>;

export interface ActsPlan {
  readonly acts: readonly PlayedName[];
  /** Of what is measured one by one; an even number. */
  readonly repetitions: number;
  readonly idleSeconds: number;
  readonly churnSeconds: number;
}

export function play(act: PlayedName, scene: Scene, plan: ActsPlan): Promise<Played> {
  switch (act) {
    case 'idle':
      return idle(scene, plan.idleSeconds);
    case 'endpoint change':
      return repeat(scene, plan.repetitions, (number) => changeEndpoint(scene, number));
    case 'Service added':
      return repeat(scene, plan.repetitions, (number) => addService(scene, number));
    case 'Service removed':
      return repeat(scene, plan.repetitions, (number) => removeService(scene, number));
    case 'rolling update':
      return rollingUpdate(scene);
    case '1,000 changes/s':
      return churn(scene, plan.churnSeconds);
  }
}

/**
 * The first Service has its endpoints, or one less or more. Events of one kind arrive in their order: once this one is in the
 * kernel, so are those before it.
 */
export async function timeMarker(
  { size, server, judge }: Omit<Scene, 'watch'>,
  isFull: boolean,
  before: () => unknown,
): Promise<number> {
  const endpoints = isFull ? size.endpoints : otherEndpoints(size, 1);
  const send = server.prepareSlice(marker, endpoints);
  const answer = await judge.time(markerQuestion(size, isFull), limitMs, async () => {
    await before();
    send();
  });
  return requireMs(answer);
}

/** For the judge. */
export function markerQuestion(size: Size, isFull: boolean): string {
  return questionOf(size, marker, isFull ? size.endpoints : otherEndpoints(size, 1));
}

/** The Service that tells that all is over. */
const marker = 0;
export const limitMs = 300_000;

async function idle({ watch }: Scene, seconds: number): Promise<Played> {
  await watch(() => sleep(seconds * 1_000));
  return { events: 0, tookMs: seconds * 1_000 };
}

async function repeat({ watch }: Scene, count: number, act: (number: number) => Promise<number>): Promise<Played> {
  const took: number[] = [];
  await watch(async () => {
    for (let number = 0; number < count; number += 1) {
      took.push(await act(number));
      await sleep(20);
    }
  });
  return { events: count, tookMs: median(took) };
}

function changeEndpoint(scene: Scene, number: number): Promise<number> {
  return timeMarker(scene, number % 2 === 1, () => {});
}

/** The slice first: what the agent waits for is the Service. */
async function addService({ size, server, judge }: Scene, number: number): Promise<number> {
  const service = tcpAfter(size, number);
  server.prepare('ADDED', sliceObject(size, service, size.endpoints, 1))();
  await sleep(20);
  const send = server.prepare('ADDED', serviceObject(size, service));
  return requireMs(await judge.time(questionOf(size, service, size.endpoints), limitMs, send));
}

async function removeService({ size, server, judge }: Scene, number: number): Promise<number> {
  const service = tcpAfter(size, number);
  const send = server.prepare('DELETED', serviceObject(size, service));
  const took = requireMs(await judge.time(questionOf(size, service, 0), limitMs, send));
  server.prepare('DELETED', sliceObject(size, service, size.endpoints, 1))();
  return took;
}

const rolled = 100;

/** Of a Service with a hundred endpoints, one after the other: a new one serves, an old one terminates, and is gone. */
async function rollingUpdate(scene: Scene): Promise<Played> {
  const { size, server, judge } = scene;
  const service = tcpAfter(size, 0);
  const current = (from: number, count: number): readonly SliceEndpoint[] =>
    Array.from({ length: count }, (_, index) => ({ index: from + index, terminating: false }));
  const slice = (endpoints: readonly SliceEndpoint[]) => sliceWith(size, service, endpoints, 1);
  server.prepare('ADDED', slice(current(0, rolled)))();
  const question = questionOf(size, service, rolled);
  await judge.time(question, limitMs, server.prepare('ADDED', serviceObject(size, service)));
  const lines = Array.from({ length: rolled }, (_, step) => [
    server.prepare('MODIFIED', slice(current(step, rolled + 1))),
    server.prepare('MODIFIED', slice([{ index: step, terminating: true }, ...current(step + 1, rolled)])),
    server.prepare('MODIFIED', slice(current(step + 1, rolled))),
  ]).flat();
  const tookMs = await scene.watch(() => timeMarker(scene, false, () => paced(lines, 1, 10)));
  await timeMarker(scene, true, () => {});
  await judge.time(questionOf(size, service, 0), limitMs, server.prepare('DELETED', serviceObject(size, service)));
  server.prepare('DELETED', slice(current(rolled, rolled)))();
  return { events: lines.length, tookMs };
}

/** Ends with everything as it was. */
async function churn(scene: Scene, seconds: number): Promise<Played> {
  const lines = await prepareChurn(scene.size, scene.server, seconds);
  const tookMs = await scene.watch(() => timeMarker(scene, false, () => sendChurn(lines)));
  await timeMarker(scene, true, () => {});
  return { events: lines.length, tookMs };
}

/** Changes all over the table but for the marker, made up before they are sent: who sends them has to share a core. */
export async function prepareChurn(size: Size, server: ApiServer, seconds: number): Promise<readonly (() => void)[]> {
  const lines: (() => void)[] = [];
  for (const { service, endpoints } of roundsOfChanges(size, 'TCP', seconds * 1_000)) {
    if (service !== marker) {
      lines.push(server.prepareSlice(service, endpoints));
    }
    if (lines.length % 1_000 === 0) {
      // It takes seconds: connections that are closed meanwhile are to be noticed.
      await sleep(0);
    }
  }
  return lines;
}

/** 1,000 a second. */
export function sendChurn(lines: readonly (() => void)[]): Promise<void> {
  return paced(lines, 10, 10);
}

/** So many at a time, every so many milliseconds by the clock: what was late is caught up with. */
async function paced(acts: readonly (() => void)[], atOnce: number, everyMs: number): Promise<void> {
  const began = performance.now();
  for (let from = 0; from < acts.length; from += atOnce) {
    for (const act of acts.slice(from, from + atOnce)) {
      act();
    }
    await sleep(Math.max(0, began + (from / atOnce + 1) * everyMs - performance.now()));
  }
}

function questionOf(size: Size, service: number, endpoints: number): string {
  return `one ${clusterIP(size.family, service)} ${servicePort} ${endpoints}`;
}

/** Services that are not listed; every other one is TCP, from an even number on. */
function tcpAfter(size: Size, number: number): number {
  return size.services + (size.services % 2) + number * 2;
}
