/**
 * The memory of the agent as it is shipped, in a process of its own, fed by an API server in this process.
 * Runs in a network namespace. Argument: a `MemoryInput` as JSON.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MemoryResult, Size } from '../result.ts';
import { serveApi } from './api-server.ts';
import { programPath, readArgument, tell } from './child.ts';
import { endpointChanges } from './endpoint-changes.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { clusterCIDRs, nodeName } from './world.ts';

export interface MemoryInput {
  readonly size: Size;
  readonly changes: number;
}

const health = { host: '127.0.0.1', port: 10256 };

tell(await measure(readArgument<MemoryInput>()));

async function measure({ size, changes }: MemoryInput): Promise<MemoryResult> {
  const server = await serveApi(size);
  const began = performance.now();
  const agent = startAgent(await writeKubeconfig(server.url));
  await untilHealthy(agent);
  const startMs = performance.now() - began;
  await sleep(1_000);
  const afterStart = await residentMiB(agent, 'VmRSS');
  for (const { service, endpoints } of endpointChanges(size, 'TCP', changes)) {
    server.prepareSlice(service, endpoints)();
    await sleep(50);
  }
  await sleep(1_000);
  const afterChanges = await residentMiB(agent, 'VmRSS');
  const peakMiB = await residentMiB(agent, 'VmHWM');
  agent.kill('SIGTERM');
  await once(agent, 'exit');
  server.close();
  return { size, afterStartMiB: afterStart, afterChangesMiB: afterChanges, changes, peakMiB, startMs };
}

function startAgent(kubeconfig: string): ChildProcess {
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${nodeName}`,
    `--cluster-cidr=${clusterCIDRs.join(',')}`,
    `--healthz-bind-address=${health.host}:${health.port}`,
  ];
  return spawn(process.execPath, [programPath('sluice'), 'run', ...flags], { stdio: ['ignore', 2, 2] });
}

/** Healthy means: everything is programmed. */
async function untilHealthy(agent: ChildProcess): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (performance.now() < deadline) {
    if (agent.exitCode !== null) {
      throw new Error(`expected the agent to run, it ended with ${agent.exitCode}`);
    }
    const answer = await fetch(`http://${health.host}:${health.port}/healthz`).catch(() => undefined);
    if (answer?.ok === true) {
      return;
    }
    await sleep(20);
  }
  throw new Error('expected the agent to be healthy within two minutes');
}

/** A line of /proc/PID/status (proc(5)), which is in KiB. */
async function residentMiB(agent: ChildProcess, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${agent.pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
}
