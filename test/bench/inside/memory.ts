/**
 * The memory of the agent as it is shipped, in a process of its own, fed by an API server in this process.
 * Runs in a network namespace. Argument: a `MemoryInput` as JSON.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { MemoryResult, Size } from '../result.ts';
import { serveApi } from './api-server.ts';
import { readArgument, tell } from './child.ts';
import { endpointChanges } from './endpoint-changes.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { nodeOptions } from './node-options.ts';
import { openJudge } from './peers/judge.ts';
import { startShippedAgent, timeStart } from './shipped-agent.ts';

export interface MemoryInput {
  readonly size: Size;
  readonly changes: number;
}

tell(await measure(readArgument<MemoryInput>()));

async function measure({ size, changes }: MemoryInput): Promise<MemoryResult> {
  const server = await serveApi(size);
  const judge = openJudge({ namespace: '-', programs: 'ipvs', family: size.family });
  const kubeconfig = await writeKubeconfig(server.url);
  const { startMs, started: agent } = await timeStart(judge, size, () =>
    startShippedAgent(kubeconfig, nodeOptions('agent-memory', size)),
  );
  await sleep(1_000);
  const afterStartMiB = await agent.residentMiB('VmRSS');
  for (const { service, endpoints } of endpointChanges(size, 'TCP', changes)) {
    server.prepareSlice(service, endpoints)();
    await sleep(50);
  }
  await sleep(1_000);
  const afterChangesMiB = await agent.residentMiB('VmRSS');
  const peakMiB = await agent.residentMiB('VmHWM');
  await agent.end('SIGTERM');
  judge.close();
  server.close();
  return { size, afterStartMiB, afterChangesMiB, changes, peakMiB, startMs };
}
