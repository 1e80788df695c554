import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAnswer, type RequestResult, type Target } from '../../lab/traffic/result.ts';
import type { Flow } from '../../lab/traffic/traffic.ts';
import { removeEndpoints } from '../manifests.ts';
import { type Check, line, type StepResult, table } from '../step.ts';
import { podOf, tally } from './outcomes.ts';
import type { Stage } from './stage.ts';

const web: Target = { protocol: 'TCP', address: '198.51.100.80', port: 80 };
const perSecond = 40;
const seconds = 9;
/** In the middle of which second the file is edited. */
const removedIn = 3;
const returnedIn = 6;
/** Seconds in which the file stays as it is, and some time after a change: two agents read it on one slow machine. */
const settledSeconds = [1, 2, 5, 8, 9];
const webPods = ['web-0', 'web-1', 'web-2'];

/** An endpoint leaves and returns while requests go on at a steady rate. */
export async function changeEndpoints(stage: Stage): Promise<StepResult> {
  const held = await holdOnto('web-2', stage);
  const deadlineMs = 2_000;
  const stream = stage.world.traffic.stream('client', web, { deadlineMs, intervalMs: 1000 / perSecond });
  const editing = editFile(stage, held);
  const bySecond = await collect(stream);
  const meanwhile = await editing;
  await stream.stop();
  const afterwards = await held.exchange();
  await held.stop();
  return describe(bySecond, [meanwhile, afterwards]);
}

/** Opens connections until one meets the pod, and keeps that one. */
export async function holdOnto(pod: string, { world }: Stage): Promise<Flow> {
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const flow = world.traffic.connect('client', web);
    if (podOf(await flow.next()) === pod) return flow;
    await flow.stop();
  }
  throw new Error(`expected one of 6 connections to meet ${pod}, none did`);
}

/** Takes web-2 out of the file and puts it back; in between, tells whether the held connection still answers. */
async function editFile({ folder }: Stage, held: Flow): Promise<RequestResult> {
  await sleep((removedIn - 0.5) * 1000);
  const bringBack = await removeEndpoints(join(folder, 'web.yaml'), 'web-2');
  await sleep((returnedIn - removedIn) * 500);
  const meanwhile = await held.exchange();
  await sleep((returnedIn - removedIn) * 500);
  await bringBack();
  return meanwhile;
}

/** The results of each second. */
async function collect(stream: Flow): Promise<readonly (readonly RequestResult[])[]> {
  const started = performance.now();
  const bySecond: (readonly RequestResult[])[] = [];
  for (let counted = 0; bySecond.length < seconds; counted += bySecond.at(-1)?.length ?? 0) {
    await sleep((bySecond.length + 1) * 1000 - (performance.now() - started));
    bySecond.push(stream.results.slice(counted));
  }
  return bySecond;
}

function describe(bySecond: readonly (readonly RequestResult[])[], held: readonly RequestResult[]): StepResult {
  const results = bySecond.flat();
  const lost = results.filter((result) => !isAnswer(result));
  const count = (pod: string): readonly string[] =>
    bySecond.map((second) => `${second.filter((result) => podOf(result) === pod).length}`.padStart(4));
  const numbers = bySecond.map((_, index) => `${index + 1}`.padStart(4));
  const drained = held.every((result) => podOf(result) === 'web-2');
  return {
    title: `An endpoint leaves and returns while requests go on: ${results.length} sent, ${lost.length} lost`,
    blocks: [
      table(
        ['second', ...numbers],
        webPods.map((pod) => [pod, ...count(pod)]),
      ),
      line(
        `web.yaml loses web-2 in second ${removedIn} and has it again in second ${returnedIn}; its open connection ${drained ? 'goes on' : 'breaks'}`,
      ),
    ],
    checks: [
      { what: 'requests lost', expected: '', found: tally(lost) },
      checkRate(results.length),
      ...checkShares(bySecond),
      ...held.map((result, index) => ({
        what: `the connection held open to web-2, ${index === 0 ? 'while web-2 is out' : 'after its return'}`,
        expected: 'web-2',
        found: podOf(result),
      })),
    ],
  };
}

/** A machine that is short of time sends fewer; a stream that stood still would prove nothing. */
function checkRate(sent: number): Check {
  const enough = sent > (perSecond * seconds) / 2;
  return { what: 'requests sent', expected: 'enough', found: enough ? 'enough' : `${sent} of ${perSecond * seconds}` };
}

function checkShares(bySecond: readonly (readonly RequestResult[])[]): readonly Check[] {
  return settledSeconds.map((second) => ({
    what: `what web-2 gets in second ${second}`,
    expected: second > removedIn && second < returnedIn ? 'nothing' : 'a third',
    found: shareOf('web-2', bySecond[second - 1] ?? []),
  }));
}

function shareOf(pod: string, results: readonly RequestResult[]): string {
  const count = results.filter((result) => podOf(result) === pod).length;
  if (count === 0) return 'nothing';
  const isThird = Math.abs(count - results.length / 3) <= 3;
  return isThird ? 'a third' : `${count} of ${results.length}`;
}
