import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { PassTrigger } from '../../../src/app/reconciler/state.ts';
import { programPath } from './child.ts';
import { giveFirst } from './priority.ts';
import type { PassReport, WatchAgentInput } from './watch-agent.ts';

export interface WatchedAgent {
  /** The next pass with that trigger; rejects when the agent ends before. */
  nextPass(trigger: PassTrigger): Promise<PassReport>;
  stop(): Promise<void>;
}

/** Starts `watch-agent` as a process of its own. `execArgv` are options of Node.js. */
export function forkWatchAgent(input: WatchAgentInput, execArgv: readonly string[]): WatchedAgent {
  const agent = fork(programPath('watch-agent'), [JSON.stringify(input)], {
    stdio: ['ignore', 2, 2, 'ipc'],
    execArgv: [...execArgv],
  });
  giveFirst(agent);
  const waiting = new Map<PassTrigger, Waiter>();
  agent.on('message', (message) => {
    // Only `watch-agent` sends on this channel.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const pass = message as PassReport;
    const waiter = waiting.get(pass.trigger);
    waiting.delete(pass.trigger);
    waiter?.resolve(pass);
  });
  agent.on('exit', (code, signal) => {
    for (const { reject } of waiting.values()) {
      reject(new Error(`expected the agent to run on, it ended with ${code ?? signal}`));
    }
  });
  return {
    nextPass: (trigger) => new Promise((resolve, reject) => waiting.set(trigger, { resolve, reject })),
    stop: async () => {
      const ended = once(agent, 'exit');
      agent.disconnect();
      await ended;
    },
  };
}

interface Waiter {
  readonly resolve: (pass: PassReport) => void;
  readonly reject: (error: Error) => void;
}
