/**
 * The pauses of a program that watches what the agent watches and does nothing else, beside the same API server. Runs in a
 * network namespace. Argument: an `AloneInput` as JSON.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Size, WatchAloneResult } from '../result.ts';
import { prepareChurn, sendChurn } from './acts.ts';
import { type ApiServer, serveApi } from './api-server.ts';
import { askProbe, probeOptions } from './ask-probe.ts';
import { programPath, readArgument, tell } from './child.ts';
import { nodeOptions } from './node-options.ts';
import { giveFirst } from './priority.ts';

export interface AloneInput {
  readonly size: Size;
  readonly starts: number;
  /** 0: it only lists. */
  readonly churnSeconds: number;
}

tell(await measure(readArgument<AloneInput>()));

async function measure({ size, starts, churnSeconds }: AloneInput): Promise<readonly WatchAloneResult[]> {
  const server = await serveApi(size);
  const lists: number[] = [];
  const churns: number[] = [];
  for (let start = 1; start <= starts; start += 1) {
    const alone = startAlone(size, server.url);
    lists.push(await watchList(alone));
    if (start === starts && churnSeconds > 0) {
      churns.push(await watchChurn(alone, size, server, churnSeconds));
    }
    alone.kill();
    await once(alone, 'exit');
  }
  server.close();
  return [
    { size, what: 'list' as const, longestPausesMs: lists },
    { size, what: '1,000 changes/s' as const, longestPausesMs: churns },
  ].filter(({ longestPausesMs }) => longestPausesMs.length > 0);
}

function startAlone(size: Size, url: string): ChildProcess {
  const args = [...probeOptions(), ...nodeOptions('alone', size), programPath('watch-alone'), JSON.stringify(url)];
  const alone = spawn(process.execPath, args, { stdio: ['ignore', 2, 2, 'ipc'] });
  giveFirst(alone);
  return alone;
}

async function watchList(alone: ChildProcess): Promise<number> {
  await once(alone, 'message');
  await sleep(500);
  return (await askProbe(alone, { watch: false })).pauses.max;
}

async function watchChurn(alone: ChildProcess, size: Size, server: ApiServer, seconds: number): Promise<number> {
  const lines = await prepareChurn(size, server, seconds);
  await askProbe(alone, { watch: true });
  await sendChurn(lines);
  return (await askProbe(alone, { watch: false })).pauses.max;
}
