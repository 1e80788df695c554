/** UDP flows of an endpoint that goes: how long until they are gone, and what it costs to go through all flows. */

import { writeFile } from 'node:fs/promises';
import type { UdpResult } from '../result.ts';
import { summarise } from '../statistics.ts';
import { runProgram } from './child.ts';
import { inFreshNamespace } from './network-namespace.ts';
import type { UdpFlowsInput, UdpFlowsRun } from './udp-flows.ts';

/** The first ones of a process run code that is not compiled yet. */
const walks = 6;

export async function measureUdp(flows: number, rounds: number): Promise<UdpResult> {
  // Only the first namespace may say how many the machine may have; user-mode Linux has few of itself.
  await writeFile('/proc/sys/net/netfilter/nf_conntrack_max', '131072');
  const program = { name: 'udp-flows', options: [] };
  const input: UdpFlowsInput = { flows, walks };
  const runs: UdpFlowsRun[] = [];
  for (let round = 0; round < rounds; round += 1) {
    runs.push(await inFreshNamespace((namespace) => runProgram<UdpFlowsRun>(namespace, program, input)));
  }
  return {
    flows,
    goneMs: summarise(runs.map((run) => run.goneMs)),
    walkMs: summarise(runs.flatMap((run) => run.walkMs)),
  };
}
