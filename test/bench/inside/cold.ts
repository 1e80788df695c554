/** Cold programming: an empty table, a fresh process; and `ipvsadm -R` with the same table. */

import { execa } from 'execa';
import type { VipMode } from '../../../src/core/model/vip.ts';
import type { ColdResult, Size, StartRun } from '../result.ts';
import { median, medianRecord, summarise } from '../statistics.ts';
import { runBaseline } from './baseline.ts';
import { inFreshNamespace, namespaceCommand } from './network-namespace.ts';
import { runStart } from './run-start.ts';
import type { StartInput } from './start.ts';

/** `ipvsadm -R` of a large table takes seconds: its share of the rounds is smaller. */
const ipvsadmRounds = 3;

/** What loads a table is measured once: the table is the same however the VIPs are exposed. */
export async function measureCold(
  size: Size,
  vipModes: readonly VipMode[],
  rounds: number,
): Promise<readonly ColdResult[]> {
  const runs = new Map<VipMode, StartRun[]>();
  let table = '';
  for (const vipMode of vipModes) {
    const input: StartInput = { size, vipMode };
    const ofMode: StartRun[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await inFreshNamespace(async (namespace) => {
        ofMode.push(await runStart(namespace, input, `cold-${vipMode}`));
        table = await dumpTable(namespace);
      });
    }
    runs.set(vipMode, ofMode);
  }
  const ipvsadm: number[] = [];
  for (let round = 0; round < Math.min(rounds, ipvsadmRounds); round += 1) {
    ipvsadm.push(await inFreshNamespace((namespace) => loadTable(namespace, table)));
  }
  const baseline: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    baseline.push(await inFreshNamespace((namespace) => writeTable(namespace, size, table)));
  }
  return [...runs].map(([vipMode, ofMode]) => coldResult({ size, vipMode, runs: ofMode, ipvsadm, baseline }));
}

interface ColdRuns {
  readonly size: Size;
  readonly vipMode: VipMode;
  readonly runs: readonly StartRun[];
  readonly ipvsadm: readonly number[];
  readonly baseline: readonly number[];
}

function coldResult({ size, vipMode, runs, ipvsadm, baseline }: ColdRuns): ColdResult {
  const ipvsadmMs = median(ipvsadm);
  const ipvs = runs.map((run) => run.ipvsMs);
  return {
    size,
    vipMode,
    run: medianRecord(runs, (run) => run.passMs),
    ipvsMs: summarise(ipvs),
    ipvsadmMs: summarise(ipvsadm),
    ratioOfIpvs: ipvsadmMs / median(ipvs),
    baselineMs: summarise(baseline),
    ratioToBaseline: median(ipvs) / median(baseline),
    steadyMs: summarise(runs.map((run) => run.ipvsSteadyMs ?? Number.NaN)),
    ratioOfPass: ipvsadmMs / median(runs.map((run) => run.passMs)),
  };
}

/** The table in the form that `ipvsadm -R` reads. */
export async function dumpTable(namespace: string): Promise<string> {
  const [file, ...args] = namespaceCommand(namespace, ['ipvsadm', '--save', '--numeric']);
  return (await execa(file, args, { stripFinalNewline: false })).stdout;
}

/** The milliseconds that `ipvsadm -R` takes, from its start to its end. */
async function loadTable(namespace: string, table: string): Promise<number> {
  const [file, ...args] = namespaceCommand(namespace, ['ipvsadm', '--restore']);
  const began = performance.now();
  await execa(file, args, { input: table });
  const took = performance.now() - began;
  await requireTable(namespace, table);
  return took;
}

/** The milliseconds that C takes to write the table, once it is laid out in memory. */
async function writeTable(namespace: string, size: Size, table: string): Promise<number> {
  const took = await runBaseline('write-table', namespace, size, table);
  await requireTable(namespace, table);
  return took;
}

async function requireTable(namespace: string, table: string): Promise<void> {
  if (sortedLines(await dumpTable(namespace)) !== sortedLines(table)) {
    throw new Error('expected the table that sluice programmed to be loaded, found another one');
  }
}

/** Destinations are listed in the order of their making, last first: both sides make them in another order. */
function sortedLines(text: string): string {
  return text.split('\n').sort().join('\n');
}
