import type { ChildProcess } from 'node:child_process';
import { constants, setPriority } from 'node:os';

/**
 * Gives a process that was just started the only processor whenever it wants it: an API server, and what watches the kernel
 * for the benchmark, have processors of their own elsewhere, and what is measured is to be the agent's time.
 */
export function giveFirst({ pid }: ChildProcess): void {
  if (pid === undefined) {
    throw new Error('expected the agent to have a process');
  }
  // Before it has other threads, which take it over.
  setPriority(pid, constants.priority.PRIORITY_HIGHEST);
}
