/** Restart on a table that is already right: a fresh process reads the kernel and finds nothing to do. */

import type { VipMode } from '../../../src/core/model/vip.ts';
import type { RestartResult, Size, StartRun } from '../result.ts';
import { median, medianRecord, summarise } from '../statistics.ts';
import { runBaseline } from './baseline.ts';
import { dumpTable } from './cold.ts';
import { inFreshNamespace, quiet } from './network-namespace.ts';
import { runStart } from './run-start.ts';
import type { StartInput } from './start.ts';

export async function measureRestart(size: Size, vipMode: VipMode, rounds: number): Promise<RestartResult> {
  const input: StartInput = { size, vipMode };
  const runs: StartRun[] = [];
  const ipvsadm: number[] = [];
  const floor: number[] = [];
  await inFreshNamespace(async (namespace) => {
    await runStart(namespace, input, 'before-restart');
    for (let round = 0; round < rounds; round += 1) {
      await quiet();
      runs.push(await runStart(namespace, input, 'restart'));
      const began = performance.now();
      await dumpTable(namespace);
      ipvsadm.push(performance.now() - began);
      if (size.family === 'IPv4') {
        floor.push(await runBaseline('read-table', namespace, size));
      }
    }
  });
  const written = runs.find(({ operations }) => operations.ipvs + operations.filter + operations.vips > 0);
  if (written !== undefined) {
    throw new Error(`expected a restart to write nothing, found ${JSON.stringify(written.operations)} operations`);
  }
  const readAndPlan = (run: StartRun): number => run.readMs + run.planMs;
  return {
    size,
    vipMode,
    run: medianRecord(runs, readAndPlan),
    readAndPlanMs: summarise(runs.map(readAndPlan)),
    ipvsadmMs: summarise(ipvsadm),
    ratio: median(ipvsadm) / median(runs.map(readAndPlan)),
    floorMs: floor.length === 0 ? undefined : summarise(floor),
  };
}
