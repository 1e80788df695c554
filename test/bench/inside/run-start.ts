import type { StartRun } from '../result.ts';
import { runProgram } from './child.ts';
import { nodeOptions } from './node-options.ts';
import type { StartInput } from './start.ts';

/** One first pass in a process of its own. A profile of it says what it is for. */
export function runStart(namespace: string, input: StartInput, purpose: string): Promise<StartRun> {
  const options = nodeOptions(`start-${purpose}`, input.size);
  return runProgram<StartRun>(namespace, { name: 'start', options }, input);
}
