import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { programPath } from './child.ts';
import type { ProbeAnswer, ProbeQuestion } from './pause-probe.ts';

/** Options of Node.js with which a process has the probe. */
export function probeOptions(): readonly string[] {
  return ['--import', programPath('pause-probe')];
}

export async function askProbe(child: ChildProcess, question: ProbeQuestion): Promise<ProbeAnswer> {
  child.send(question);
  // Only the probe sends on this channel once it is asked.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const [answer] = (await once(child, 'message')) as [ProbeAnswer];
  return answer;
}
