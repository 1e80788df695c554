/**
 * One endpoint change at a time, from the watch line on the socket to the end of the pass in another process.
 * A process of its own in a network namespace. Argument: a `ChangeInput` as JSON.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeProtocol, ChangeResult, Size } from '../result.ts';
import { summarise } from '../statistics.ts';
import { type ApiServer, serveApi } from './api-server.ts';
import { readArgument, tell } from './child.ts';
import { endpointChanges } from './endpoint-changes.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { nodeOptions } from './node-options.ts';
import { forkWatchAgent, type WatchedAgent } from './watched-agent.ts';

export interface ChangeInput {
  readonly size: Size;
  /** Per protocol. */
  readonly changes: number;
}

const protocols: readonly ChangeProtocol[] = ['TCP', 'UDP'];
/**
 * How many changes come before those that are measured, whose slowest are told of by themselves: V8 compiles what they run,
 * and does so on the same core.
 */
function countOfFirst(changes: number): number {
  return Math.max(100, changes / 2);
}

tell(await measure(readArgument<ChangeInput>()));

async function measure({ size, changes }: ChangeInput): Promise<readonly ChangeResult[]> {
  const server = await serveApi(size);
  const agent = forkWatchAgent({ kubeconfig: await writeKubeconfig(server.url) }, nodeOptions('watch-agent', size));
  await agent.nextPass('start');
  // What the start left behind, garbage and estimators, is not part of a change.
  await sleep(2_000);
  const results: ChangeResult[] = [];
  for (const protocol of protocols) {
    const samples = await measureProtocol({ size, changes, server, agent, protocol });
    results.push(resultOf(size, protocol, samples, countOfFirst(changes)));
  }
  await agent.stop();
  server.close();
  return results;
}

interface Sample {
  readonly eventMs: number;
  readonly passMs: number;
}

interface Run extends ChangeInput {
  readonly server: ApiServer;
  readonly agent: WatchedAgent;
  readonly protocol: ChangeProtocol;
}

async function measureProtocol({ size, changes, server, agent, protocol }: Run): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (const { service, endpoints } of endpointChanges(size, protocol, countOfFirst(changes) + changes)) {
    const pass = agent.nextPass('change');
    const send = server.prepareSlice(service, endpoints);
    const sentAt = process.hrtime.bigint();
    send();
    const { endedAt, passMs, operations, failures } = await pass;
    if (operations !== 1 || failures !== 0) {
      throw new Error(`expected one operation for one change, found ${operations}, ${failures} failed`);
    }
    samples.push({ eventMs: Number(BigInt(endedAt) - sentAt) / 1e6, passMs });
    await sleep(1);
  }
  return samples;
}

function resultOf(
  size: Size,
  protocol: ChangeProtocol,
  samples: readonly Sample[],
  countOfFirstChanges: number,
): ChangeResult {
  const eventMs = samples.map((sample) => sample.eventMs);
  const passMs = samples.map((sample) => sample.passMs);
  return {
    size,
    protocol,
    firstMs: summarise(eventMs.slice(0, countOfFirstChanges)),
    eventMs: summarise(eventMs.slice(countOfFirstChanges)),
    passMs: summarise(passMs.slice(countOfFirstChanges)),
  };
}
