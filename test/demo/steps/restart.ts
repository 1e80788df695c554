import type { Agent } from '../agent.ts';
import { recordChanges } from '../kernel-changes.ts';
import { connectionCounts, difference, fallenCounts, listing } from '../kernel-reading.ts';
import { line, type StepResult } from '../step.ts';
import { podOf } from './outcomes.ts';
import type { Stage } from './stage.ts';

const place = { address: '198.51.100.80', port: 80 };
const name = 'across the restart';

export interface Restart {
  readonly result: StepResult;
  /** The agent that runs now. */
  readonly agent: Agent;
}

/** The kernel is as it should be; the agent dies and comes back, and changes nothing. */
export async function restartAgent({ world, sluice }: Stage, running: Agent): Promise<Restart> {
  const client = world.peer('client');
  const plan = await sluice.command('node1', 'plan');
  const planned = plan.output.trim();
  const holder = podOf(await client.hold({ ...place, name }));
  const before = await listing('node1');
  const counts = await connectionCounts('node1');
  const changes = await recordChanges('node1');
  await running.end('SIGKILL');
  const withoutAgent = podOf(await client.continue(name));
  const agent = sluice.start('node1');
  const isReady = await agent.ready;
  const withAgent = podOf(await client.continue(name));
  const written = [
    ...(await changes.stop()),
    ...difference(before, await listing('node1')),
    ...fallenCounts(counts, await connectionCounts('node1')),
  ];
  await client.release(name);
  const answers = `${withoutAgent} without the agent, ${withAgent} with the new one`;
  const result: StepResult = {
    title: 'The agent is killed (kill -9) and started again',
    blocks: [
      line(`sluice plan says: ${planned}`),
      line(
        `the new agent writes ${written.length === 0 ? 'no VIP, virtual server or element' : `${written.length} changes`}; an open connection to ${holder} lives on`,
      ),
    ],
    checks: [
      { what: 'sluice plan', expected: '4 Services: in sync', found: planned },
      { what: 'exit status of sluice plan', expected: '0', found: `${plan.status}` },
      {
        what: 'the new agent',
        expected: 'ready',
        found: isReady ? 'ready' : `not ready; its log ends:\n${agent.log()}`,
      },
      { what: 'what the new agent wrote', expected: '', found: written.join('\n') },
      {
        what: 'answers through the open connection',
        expected: `${holder} without the agent, ${holder} with the new one`,
        found: answers,
      },
    ],
  };
  return { result, agent };
}
