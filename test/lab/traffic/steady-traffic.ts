/** Traffic that goes on while one proxy takes the place of another. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../world.ts';
import { isAnswer, type RequestResult, type Target } from './result.ts';
import type { Flow, RequestOptions } from './traffic.ts';

export interface SteadyTraffic {
  /** One exchange on every connection that still stands. */
  readonly exchange: () => Promise<void>;
  /** Ends it, after one more exchange, and says what became of it. */
  readonly end: () => Promise<Outcome>;
}

/** Empty lists, and a number of requests a second, when nothing was disturbed. */
export interface Outcome {
  /** Why a connection is no more, once for each. */
  readonly broken: readonly RequestResult[];
  /** Why there was no answer to a request on a new connection. */
  readonly failed: readonly RequestResult[];
  readonly requests: number;
  readonly requestsPerSecond: number;
}

export interface Amount {
  readonly connections: number;
  readonly streams: number;
}

export const connectionCount = 1_000;
/** Opened and asked at a time: a burst of a thousand would only fill the responder's queue. */
const groupSize = 50;
/** Each sends its next request when it has the answer to the last: together at most 250 a second. */
export const usualAmount: Amount = { connections: connectionCount, streams: 50 };
const intervalMs = 200;
/** One CPU serves the pods and two proxies: a slow answer is not a lost one. */
const options: RequestOptions = { deadlineMs: 5_000 };

/** Opens connections from outside, each with one exchange, and begins to send requests on new ones. */
export async function startSteadyTraffic(
  world: World,
  target: Target,
  amount: Amount = usualAmount,
): Promise<SteadyTraffic> {
  const connections = await openConnections(world, 'client', target, amount.connections);
  const begun = performance.now();
  const streams = await startStreams(world, target, amount.streams);
  const end = async () => {
    const seconds = (performance.now() - begun) / 1_000;
    const requests = streams.reduce((sum, { results }) => sum + results.length, 0);
    const broken = await connections.end();
    await Promise.all(streams.map((each) => each.stop()));
    const failed = streams.flatMap(({ failures }) => failures);
    return { broken, failed, requests, requestsPerSecond: Math.round(requests / seconds) };
  };
  return { exchange: connections.exchange, end };
}

/** Connections on which nothing is sent unless asked for. */
export interface Connections {
  /** One exchange on each that still stands. */
  readonly exchange: () => Promise<void>;
  /** One more exchange, and the end. Why a connection is no more, once for each. */
  readonly end: () => Promise<readonly RequestResult[]>;
}

/** Opens connections from a place, each with one exchange. */
export async function openConnections(
  world: World,
  place: string,
  target: Target,
  count: number,
): Promise<Connections> {
  const standing = new Set<Flow>();
  const broken: RequestResult[] = [];
  for (let opened = 0; opened < count; opened += groupSize) {
    const length = Math.min(groupSize, count - opened);
    const group = Array.from({ length }, () => world.traffic.connect(place, target, options));
    const answers = await Promise.all(group.map((each) => each.next()));
    const failure = answers.find((each) => !isAnswer(each));
    if (failure !== undefined) throw new Error(`a connection could not be opened: ${JSON.stringify(failure)}`);
    for (const each of group) standing.add(each);
  }
  const exchange = async () => {
    const flows = [...standing];
    for (let asked = 0; asked < flows.length; asked += groupSize) {
      const group = flows.slice(asked, asked + groupSize);
      for (const { flow, result } of await Promise.all(group.map(ask))) {
        if (isAnswer(result)) continue;
        standing.delete(flow);
        broken.push(result);
      }
    }
  };
  const end = async () => {
    await exchange();
    await Promise.all([...standing].map((each) => each.stop()));
    return broken;
  };
  return { exchange, end };
}

/** Evenly apart. */
async function startStreams(world: World, target: Target, streamCount: number): Promise<readonly Flow[]> {
  const streams: Flow[] = [];
  for (let started = 0; started < streamCount; started += 1) {
    streams.push(world.traffic.stream('client', target, { ...options, intervalMs }));
    await sleep(intervalMs / streamCount);
  }
  return streams;
}

/** A connection that was closed or reset while nobody asked is none any more. */
async function ask(flow: Flow): Promise<{ readonly flow: Flow; readonly result: RequestResult }> {
  const [ended] = flow.failures;
  return { flow, result: ended ?? (await flow.exchange()) };
}
