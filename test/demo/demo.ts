import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, sluiceOf } from './agent.ts';
import { copyManifests, readManifests } from './manifests.ts';
import type { StepResult } from './step.ts';
import { cleanUp, listNodes } from './steps/cleanup.ts';
import { changeEndpoints } from './steps/endpoints.ts';
import { sendRequests } from './steps/requests.ts';
import { restartAgent } from './steps/restart.ts';
import { compareSchedulers } from './steps/schedulers.ts';
import { showServices } from './steps/services.ts';
import type { Stage } from './steps/stage.ts';
import { addresses, makeWorld, nodes } from './world.ts';

/** What the demo runs on, and whom it tells. */
export interface DemoOptions {
  /** The bundled traffic/peer.ts. */
  readonly peerProgram: string;
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
  const step = async (doing: string, result: () => Promise<StepResult>): Promise<void> => {
    options.begins(doing);
    const started = performance.now();
    const done = await result();
    results.push(done);
    options.ended(done, (performance.now() - started) / 1000);
  };
  options.begins('making a client, two nodes and six pods');
  const stage = await setTheStage(options);
  const before = await listNodes();
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
  await stage.world.remove();
  return results;
}

async function setTheStage({ peerProgram, sluiceProgram, manifests }: DemoOptions): Promise<Stage> {
  const folder = join(await mkdtemp(join(tmpdir(), 'sluice-demo-')), 'manifests');
  await copyManifests(manifests, folder);
  const { node1 } = addresses;
  return {
    world: await makeWorld(peerProgram),
    sluice: sluiceOf(sluiceProgram, folder),
    manifests: await readManifests(folder, [node1.IPv4, node1.IPv6]),
    folder,
  };
}

async function startAgents({ sluice }: Stage): Promise<readonly [Agent, ...Agent[]]> {
  const [first, ...others] = nodes;
  const agents: readonly [Agent, ...Agent[]] = [sluice.start(first), ...others.map((node) => sluice.start(node))];
  for (const agent of agents) {
    if (!(await agent.ready)) {
      throw new Error(`expected the agent to be healthy within 10 s; its log ends:\n${agent.log()}`);
    }
  }
  return agents;
}
