import type { Agent } from '../agent.ts';
import { difference, type Listings, listNodes } from '../node-state.ts';
import { type Check, line, type StepResult } from '../step.ts';
import { nodes } from '../world.ts';
import type { Stage } from './stage.ts';

/** The agents stop, what they made is removed, and the nodes are as they were. */
export async function cleanUp(stage: Stage, agents: readonly Agent[], before: Listings): Promise<StepResult> {
  await Promise.all(agents.map((agent) => agent.end('SIGTERM')));
  const during = await listNodes(stage.world);
  const checks: Check[] = [];
  for (const node of nodes) {
    const { status, stdout, stderr } = await stage.sluice.command(node, 'cleanup');
    const found = status === 0 ? '0' : `${status}\n${stdout}${stderr}`;
    checks.push({ what: `exit status of sluice cleanup on ${node}`, expected: '0', found });
  }
  const after = await listNodes(stage.world);
  for (const node of nodes) {
    const found = difference(before[node], after[node]).join('\n');
    checks.push({ what: `${node} after cleanup, compared with before the start`, expected: '', found });
  }
  return { title: 'Cleanup: both nodes as clean as before', blocks: [line(summary(before, during, after))], checks };
}

function summary(before: Listings, during: Listings, after: Listings): string {
  const made = nodes.reduce((sum, node) => sum + difference(before[node], during[node]).length, 0);
  const left = nodes.reduce((sum, node) => sum + difference(before[node], after[node]).length, 0);
  return `links, addresses, routes, rules, nftables, IPVS: ${made} lines of sluice's, ${left === 0 ? 'none' : left} after cleanup`;
}
