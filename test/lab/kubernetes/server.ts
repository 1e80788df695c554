import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server process. */
export interface Server {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** The end of what it has said. */
  readonly log: () => string;
  /** Whether it has ended, for whatever reason. */
  readonly isOver: () => boolean;
  /** Waits until `isReady` says so; throws with the last lines of its log when it ends before, or takes too long. */
  readonly ready: (isReady: () => Promise<boolean>, limitMs: number) => Promise<void>;
  /** Sends a signal that does not end it. */
  readonly signal: (signal: 'SIGSTOP' | 'SIGCONT') => void;
  readonly end: (signal: NodeJS.Signals) => Promise<void>;
}

/** Starts a server in the namespace of the tests. */
export function startServer(command: readonly string[], env: Readonly<Record<string, string>> = {}): Server {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-16_384);
    });
  }
  let over = false;
  const ended = once(child, 'close')
    .catch((error: unknown) => {
      log += String(error);
    })
    .finally(() => {
      over = true;
    });
  return {
    pid: child.pid,
    log: () => log,
    isOver: () => over,
    ready: async (isReady, limitMs) => {
      const deadline = performance.now() + limitMs;
      while (!(await isReady())) {
        if (over) throw new Error(`${file} ended:\n${log}`);
        if (performance.now() > deadline) throw new Error(`${file} is not ready after ${limitMs} ms:\n${log}`);
        await sleep(500);
      }
    },
    signal: (signal) => void child.kill(signal),
    end: async (signal) => {
      child.kill(signal);
      await ended;
    },
  };
}
