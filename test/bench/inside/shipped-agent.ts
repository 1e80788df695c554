/** The agent as it is shipped, in a process of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Size } from '../result.ts';
import { programPath } from './child.ts';
import { isProfiling } from './node-options.ts';
import { type Answer, type Judge } from './peers/judge.ts';
import { clusterCIDRs, nodeName } from './world.ts';

export interface ShippedAgent {
  readonly process: ChildProcess;
  /** A line of /proc/PID/status (proc(5)), which is in KiB. */
  residentMiB(field: 'VmRSS' | 'VmHWM'): Promise<number>;
  /** What the kernel has carried out for it so far. */
  writes(): Promise<number>;
  /** The sum of a metric over its labels. */
  metric(name: string): Promise<number>;
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** `options` are those of Node.js. */
export function startShippedAgent(kubeconfig: string, options: readonly string[]): ShippedAgent {
  const args = [...options, ...shippedAgentCommand(kubeconfig)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 2, 2, 'ipc'] });
  return {
    process: child,
    residentMiB: async (field) => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
    },
    writes: () => readMetric('sluice_kernel_operations_total'),
    metric: readMetric,
    end: async (signal) => {
      // One that is killed leaves no profile. Both leave the kernel as it is.
      child.kill(isProfiling() ? 'SIGTERM' : signal);
      await once(child, 'exit');
    },
  };
}

/** What Node.js is to run. */
export function shippedAgentCommand(kubeconfig: string): readonly string[] {
  return [
    programPath('sluice'),
    'run',
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${nodeName}`,
    `--cluster-cidr=${clusterCIDRs.join(',')}`,
    '--healthz-bind-address=127.0.0.1:10256',
  ];
}

const startLimitMs = 300_000;

/** From `start` to the whole cluster in the kernel, as the judge sees it. Throws when that takes too long. */
export async function timeStart<Started>(
  judge: Judge,
  { services, endpoints }: Size,
  start: () => Started,
): Promise<{ readonly startMs: number; readonly started: Started }> {
  const leaves = (await judge.leaves()) + services;
  const question = `whole ${services} ${services * endpoints} ${leaves}`;
  const answer = await judge.time(question, startLimitMs, start);
  return { startMs: requireMs(answer), started: answer.result };
}

export function requireMs({ took }: Answer<unknown>): number {
  if ('ms' in took) {
    return took.ms;
  }
  throw new Error(`expected the kernel to have it, it has not after ${took.notWithinMs} ms`);
}

async function readMetric(name: string): Promise<number> {
  const text = await (await fetch('http://127.0.0.1:10249/metrics')).text();
  const values = text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'));
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}
