import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeEndpoints } from '../manifests.ts';
import { type Check, line, type StepResult, table } from '../step.ts';
import type { Outcome, StreamOutcome } from '../traffic/conversation.ts';
import { podOf } from './outcomes.ts';
import type { Stage } from './stage.ts';

const place = { address: '198.51.100.80', port: 80 };
const perSecond = 40;
const seconds = 9;
/** In the middle of which second the file is edited. */
const removedIn = 3;
const returnedIn = 6;
/** Seconds in which the file stays as it is, and some time after a change: two agents read it on one slow machine. */
const settledSeconds = [1, 2, 5, 8, 9];
const webPods = ['web-0', 'web-1', 'web-2'] as const;

/** An endpoint leaves and returns while requests go on at a steady rate. */
export async function changeEndpoints(stage: Stage): Promise<StepResult> {
  const client = stage.world.peer('client');
  const name = await holdOnto('web-2', stage);
  const stream = client.stream({ ...place, perSecond, seconds });
  await sleep((removedIn - 0.5) * 1000);
  const bringBack = await removeEndpoints(join(stage.folder, 'web.yaml'), 'web-2');
  await sleep((returnedIn - removedIn) * 500);
  const meanwhile = await client.continue(name);
  await sleep((returnedIn - removedIn) * 500);
  await bringBack();
  const outcomes = await stream;
  const afterwards = await client.continue(name);
  await client.release(name);
  return describe(outcomes, [meanwhile, afterwards]);
}

/** Opens connections until one meets the pod, and keeps that one. */
async function holdOnto(pod: string, { world }: Stage): Promise<string> {
  const client = world.peer('client');
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const name = `to ${pod} ${attempt}`;
    const outcome = await client.hold({ ...place, name });
    if (podOf(outcome) === pod) return name;
    await client.release(name);
  }
  throw new Error(`expected one of 6 connections to meet ${pod}, none did`);
}

function describe(outcomes: readonly StreamOutcome[], held: readonly Outcome[]): StepResult {
  const lost = outcomes.filter((outcome) => 'failure' in outcome);
  const spread = webPods.map((pod) => countBySecond(outcomes, pod));
  const rows = webPods.map((pod, index) => [pod, ...(spread[index] ?? []).map((count) => `${count}`.padStart(4))]);
  const numbers = Array.from({ length: seconds }, (_, second) => `${second + 1}`.padStart(4));
  return {
    title: `An endpoint leaves and returns while requests go on, ${perSecond} a second`,
    blocks: [
      table(['second', ...numbers], rows),
      line(
        `web-2 is taken out of web.yaml in second ${removedIn} and put back in second ${returnedIn};`.concat(
          ` a connection that it holds meanwhile answers: ${held.every((outcome) => podOf(outcome) === 'web-2') ? 'yes' : 'no'}`,
        ),
      ),
      line(`${outcomes.length} sent, ${outcomes.length - lost.length} answered, ${lost.length} lost`),
    ],
    checks: [
      ...lost.slice(0, 3).map((outcome) => ({
        what: `the request at ${(outcome.at / 1000).toFixed(2)} s`,
        expected: 'an answer',
        found: podOf(outcome),
      })),
      { what: 'requests lost', expected: `0 of ${perSecond * seconds}`, found: `${lost.length} of ${outcomes.length}` },
      ...checkSpread(spread[2] ?? []),
      ...held.map((outcome, index) => ({
        what: `the connection held open to web-2, ${index === 0 ? 'while web-2 is out' : 'after its return'}`,
        expected: 'web-2',
        found: podOf(outcome),
      })),
    ],
  };
}

function countBySecond(outcomes: readonly StreamOutcome[], pod: string): readonly number[] {
  const counts = Array.from({ length: seconds }, () => 0);
  for (const outcome of outcomes) {
    const second = Math.floor(outcome.at / 1000);
    if (podOf(outcome) === pod) counts[second] = (counts[second] ?? 0) + 1;
  }
  return counts;
}

/** The pod's share before, without it, and after; the seconds in which the file changes may hold anything. */
function checkSpread(counts: readonly number[]): readonly Check[] {
  const share = (second: number): string => {
    const count = counts[second - 1] ?? 0;
    return count === 0
      ? 'nothing'
      : count >= perSecond / 4 && count <= perSecond / 2
        ? 'a third'
        : `${count} of ${perSecond}`;
  };
  const check = (second: number, expected: string): Check => ({
    what: `what web-2 gets in second ${second}`,
    expected,
    found: share(second),
  });
  return settledSeconds.map((second) =>
    check(second, second > removedIn && second < returnedIn ? 'nothing' : 'a third'),
  );
}
