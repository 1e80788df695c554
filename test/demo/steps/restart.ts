import { readCounts } from '../../lab/state/ipvs.ts';
import { listing } from '../../lab/state/listing.ts';
import type { Agent } from '../agent.ts';
import { recordChanges } from '../node-changes.ts';
import { difference, fallenCounts } from '../node-state.ts';
import { line, type StepResult } from '../step.ts';
import { holdOnto } from './endpoints.ts';
import { podOf } from './outcomes.ts';
import type { Stage } from './stage.ts';

export interface Restart {
  readonly result: StepResult;
  /** The agent that runs now. */
  readonly agent: Agent;
}

/** The kernel is as it should be; the agent dies and comes back, and changes nothing. */
export async function restartAgent(stage: Stage, running: Agent): Promise<Restart> {
  const { world, sluice } = stage;
  const node = world.node('node1');
  const plan = await sluice.command('node1', 'plan');
  const held = await holdOnto('web-2', stage);
  const [before, counts] = [await listing(node), await readCounts(node)];
  const changes = await recordChanges(world, 'node1');
  await running.end('SIGKILL');
  const withoutAgent = podOf(await held.exchange());
  const agent = sluice.start('node1');
  const isReady = await agent.ready;
  const withAgent = podOf(await held.exchange());
  const written = [
    ...(await changes.stop()),
    ...difference(before, await listing(node)),
    ...(await fallenCounts(world, counts)),
  ];
  await held.stop();
  const readiness = isReady ? 'ready' : `not ready; its log ends:\n${agent.log()}`;
  const lives = withoutAgent === 'web-2' && withAgent === 'web-2';
  const result: StepResult = {
    title: 'The agent is killed (kill -9) and started again',
    blocks: [
      line(`sluice plan before it: ${plan.stdout.trim()}`),
      line(
        `the new agent writes ${written.length === 0 ? 'nothing' : `${written.length} changes`}; an open connection to web-2 ${lives ? 'lives on' : 'is lost'}`,
      ),
    ],
    checks: [
      { what: 'sluice plan', expected: '4 Services: in sync', found: plan.stdout.trim() },
      { what: 'exit status of sluice plan', expected: '0', found: `${plan.status}${plan.stderr}` },
      { what: 'the new agent', expected: 'ready', found: readiness },
      { what: 'what the new agent wrote', expected: '', found: written.join('\n') },
      { what: 'the open connection without the agent', expected: 'web-2', found: withoutAgent },
      { what: 'the open connection with the new agent', expected: 'web-2', found: withAgent },
    ],
  };
  return { result, agent };
}
