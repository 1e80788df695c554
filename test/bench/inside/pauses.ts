/**
 * The agent as it is shipped through the acts of its life: how long each takes, what it costs, and how long the event
 * loop stood still. Runs in a network namespace. Argument: a `PausesInput` as JSON.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { PausesResult, Size } from '../result.ts';
import { type ActsPlan, limitMs, markerQuestion, type PlayedName, play, type Scene, timeMarker } from './acts.ts';
import { serveApi } from './api-server.ts';
import { askProbe, probeOptions } from './ask-probe.ts';
import { readArgument, tell } from './child.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { nodeOptions } from './node-options.ts';
import { openJudge } from './peers/judge.ts';
import { giveFirst } from './priority.ts';
import { requireMs, type ShippedAgent, startShippedAgent, timeStart } from './shipped-agent.ts';

export interface PausesInput extends ActsPlan {
  readonly size: Size;
}

type Stage = Omit<Scene, 'watch'>;

tell(await measure(readArgument<PausesInput>()));

async function measure({ size, ...plan }: PausesInput): Promise<readonly PausesResult[]> {
  const server = await serveApi(size);
  const judge = openJudge({ namespace: '-', programs: 'ipvs', family: size.family });
  const kubeconfig = await writeKubeconfig(server.url);
  const start = (act: string) => () =>
    startFirst(kubeconfig, [...probeOptions(), ...nodeOptions(`agent-${act}`, size)]);
  const scene: Stage = { size, server, judge };
  const { startMs, started: agent } = await timeStart(judge, size, start(plan.acts.length === 0 ? 'cold' : 'acts'));
  const results: PausesResult[] = [
    { size, act: 'cold start', events: 0, tookMs: startMs, ...(await lookBackOnStart(agent)) },
  ];
  results.push(...(await watchActs(scene, agent, plan)));
  // The next one finds one endpoint to put back.
  await timeMarker(scene, false, () => {});
  await agent.end('SIGKILL');
  const answer = await judge.time(markerQuestion(size, true), limitMs, start('restart'));
  const tookMs = requireMs(answer);
  results.push({ size, act: 'restart', events: 0, tookMs, ...(await lookBackOnStart(answer.result)) });
  await answer.result.end('SIGTERM');
  judge.close();
  server.close();
  return results;
}

function startFirst(kubeconfig: string, options: readonly string[]): ShippedAgent {
  const agent = startShippedAgent(kubeconfig, options);
  giveFirst(agent.process);
  return agent;
}

type Seen = Pick<PausesResult, 'durationMs' | 'cpuMs' | 'busyMs' | 'writes' | 'pauseMs'>;

/** What follows once everything is programmed, Events and servers, is part of a start. */
async function lookBackOnStart(agent: ShippedAgent): Promise<Seen & Pick<PausesResult, 'loadMs'>> {
  await told(agent);
  await settle();
  const { pauses, cpuMs, loadMs, upMs } = await askProbe(agent.process, { watch: false });
  return { durationMs: upMs, cpuMs, busyMs: undefined, pauseMs: pauses, loadMs, writes: await agent.writes() };
}

/** All acts twice: once for what they cost, and once for the pauses, because looking costs more than many an act. */
async function watchActs(scene: Stage, agent: ShippedAgent, plan: ActsPlan): Promise<readonly PausesResult[]> {
  const costs = new Map<PlayedName, PausesResult>();
  for (const act of plan.acts) {
    costs.set(act, await watchAct(scene, agent, act, { plan, isLooking: false }));
  }
  requireWrites(costs.get('1,000 changes/s'));
  const results: PausesResult[] = [];
  for (const [act, cost] of costs) {
    // A process that has nothing to do has no pauses.
    const looked = act === 'idle' ? undefined : await watchAct(scene, agent, act, { plan, isLooking: true });
    results.push({ ...cost, pauseMs: looked?.pauseMs });
  }
  return results;
}

/**
 * Changes that cancel each other out before they are taken in cost nothing, and say nothing. With very few Services some do.
 */
function requireWrites(churn: PausesResult | undefined): void {
  if (churn !== undefined && churn.writes < churn.events / 2) {
    throw new Error(`expected an operation for most of ${churn.events} changes, found ${churn.writes}`);
  }
}

async function watchAct(
  scene: Stage,
  agent: ShippedAgent,
  act: PlayedName,
  { plan, isLooking }: { readonly plan: ActsPlan; readonly isLooking: boolean },
): Promise<PausesResult> {
  const unseen = Number.NaN;
  let seen: Seen = { durationMs: unseen, cpuMs: unseen, busyMs: unseen, writes: unseen, pauseMs: undefined };
  const watch: Scene['watch'] = async (happening) => {
    const writesBefore = await agent.writes();
    await settle();
    const before = await askProbe(agent.process, { watch: isLooking });
    const value = await happening();
    const after = await askProbe(agent.process, { watch: false });
    seen = {
      durationMs: after.upMs - before.upMs,
      cpuMs: after.cpuMs - before.cpuMs,
      busyMs: after.busyMs - before.busyMs,
      writes: (await agent.writes()) - writesBefore,
      pauseMs: isLooking ? after.pauses : undefined,
    };
    return value;
  };
  const played = await play(act, { ...scene, watch }, plan);
  return { size: scene.size, act, ...played, ...seen };
}

/** With many Services the kernel has everything a while before the agent counts it. */
async function told(agent: ShippedAgent): Promise<void> {
  while ((await agent.writes()) === 0) {
    await sleep(100);
  }
}

async function settle(): Promise<void> {
  await sleep(1_000);
}
