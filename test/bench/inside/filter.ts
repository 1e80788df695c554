/** What the guards cost on top of IPVS: the elements of nftables in a cold start. */

import type { FilterResult, Size, StartRun } from '../result.ts';
import { median, summarise } from '../statistics.ts';
import { inFreshNamespace } from './network-namespace.ts';
import { runStart } from './run-start.ts';
import type { StartInput } from './start.ts';

export async function measureFilter(size: Size, rounds: number): Promise<FilterResult> {
  const input: StartInput = { size, vipMode: 'address' };
  const runs: StartRun[] = [];
  for (let round = 0; round < rounds; round += 1) {
    runs.push(await inFreshNamespace((namespace) => runStart(namespace, input, 'filter')));
  }
  return {
    size,
    elements: runs[0]?.operations.filter ?? 0,
    filterMs: summarise(runs.map((run) => run.filterMs)),
    ipvsMs: summarise(runs.map((run) => run.ipvsMs)),
    ratio: median(runs.map((run) => run.filterMs / run.ipvsMs)),
  };
}
