import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, sluiceOf } from './agent.ts';
import { copyManifests, readManifests } from './manifests.ts';
import { listNodes } from './node-state.ts';
import type { StepResult } from './step.ts';
import { cleanUp } from './steps/cleanup.ts';
import { changeEndpoints } from './steps/endpoints.ts';
import { sendRequests } from './steps/requests.ts';
import { restartAgent } from './steps/restart.ts';
import { compareSchedulers } from './steps/schedulers.ts';
import { showServices } from './steps/services.ts';
import type { Stage } from './steps/stage.ts';
import { makeWorld, nodes } from './world.ts';

/** What the demo runs on, and whom it tells. */
export interface DemoOptions {
  /** The bundled agent. */
  readonly sluiceProgram: string;
  /** The folder of manifests; the agents get a copy. */
  readonly manifests: string;
  /** A step begins. */
  readonly begins: (doing: string) => void;
  /** A step has ended. */
  readonly ended: (result: StepResult, seconds: number) => void;
  /** Called instead of the cleanup, with the world and the agents still there. */
  readonly keep?: (stage: Stage) => Promise<void>;
}

/** The main job from beginning to end, in the network namespaces that it makes. Must be root, under a kernel with IPVS. */
export async function runDemo(options: DemoOptions): Promise<readonly StepResult[]> {
  const results: StepResult[] = [];
  const step: PlayStep = async (doing, result) => {
    options.begins(doing);
    const started = performance.now();
    const done = await result();
    results.push(done);
    options.ended(done, (performance.now() - started) / 1000);
  };
  options.begins('making three clients, two nodes and six pods');
  const stage = await setTheStage(options);
  try {
    await play(stage, options, step);
  } finally {
    await stage.world.remove();
  }
  return results;
}

type PlayStep = (doing: string, result: () => Promise<StepResult>) => Promise<void>;

async function play(stage: Stage, options: DemoOptions, step: PlayStep): Promise<void> {
  const before = await listNodes(stage.world);
  options.begins('starting sluice on both nodes');
  let agents = await startAgents(stage);
  await step('reading the kernel of node1', () => showServices(stage));
  await step('sending requests', () => sendRequests(stage));
  await step('comparing schedulers', () => compareSchedulers(stage));
  await step('sending requests for 9 seconds, with web-2 leaving and returning', () => changeEndpoints(stage));
  await step('killing the agent and starting it again', async () => {
    const [first, ...others] = agents;
    const { result, agent } = await restartAgent(stage, first);
    agents = [agent, ...others];
    return result;
  });
  if (options.keep !== undefined) {
    await options.keep(stage);
  }
  await step('cleaning up', () => cleanUp(stage, agents, before));
}

async function setTheStage({ sluiceProgram, manifests }: DemoOptions): Promise<Stage> {
  const folder = join(await mkdtemp(join(tmpdir(), 'sluice-demo-')), 'manifests');
  await copyManifests(manifests, folder);
  const world = await makeWorld();
  const { addresses } = world.node('node1');
  return {
    world,
    sluice: sluiceOf(world, sluiceProgram, folder),
    manifests: await readManifests(folder, [...addresses.IPv4, ...addresses.IPv6]),
    folder,
  };
}

async function startAgents({ sluice }: Stage): Promise<readonly [Agent, ...Agent[]]> {
  const [first, ...others] = nodes;
  const agents: readonly [Agent, ...Agent[]] = [sluice.start(first), ...others.map((node) => sluice.start(node))];
  for (const agent of agents) {
    if (!(await agent.ready)) {
      throw new Error(`expected the agent to be healthy within 30 s; its log ends:\n${agent.log()}`);
    }
  }
  return agents;
}
