/** Takes the measures one after the other; runs as root in the lab. Argument: a `Plan` as JSON. */

import { readFile, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { VipMode } from '../../../src/core/model/vip.ts';
import type { Plan } from '../options.ts';
import type { ChangeResult, LabResult, MachineFacts, MemoryResult, PausesResult, Size } from '../result.ts';
import { calibrate } from './calibrate.ts';
import type { ChangeInput } from './change.ts';
import { readArgument, runProgram } from './child.ts';
import { measureCold } from './cold.ts';
import { measureDirectReturn } from './direct-return.ts';
import { measureFilter } from './filter.ts';
import { measureLatency } from './latency.ts';
import type { MemoryInput } from './memory.ts';
import { inFreshNamespace } from './network-namespace.ts';
import type { PausesInput } from './pauses.ts';
import { measurePeers } from './peers/peers.ts';
import { measureRestart } from './restart.ts';

/** How many changes an agent sees before its memory is read again. */
const memoryChanges = 60;

const result = await measure(readArgument<Plan>());
await writeFile(join(process.env['SLUICE_LAB_RESULTS'] ?? '.', 'result.json'), JSON.stringify(result, null, 2));

async function measure(plan: Plan): Promise<LabResult> {
  const { rounds, changes } = plan;
  return {
    machine: await machineFacts(),
    rounds,
    cold: (await each('cold', plan.cold, (size) => measureCold(size, vipModes(plan, size), rounds))).flat(),
    restart: await each('restart', plan.restart, (size) => measureRestart(size, 'address', rounds)),
    change: (
      await each('change', plan.change, (size) => {
        const input: ChangeInput = { size, changes };
        return inFreshNamespace((namespace) => runProgram<readonly ChangeResult[]>(namespace, 'change', input));
      })
    ).flat(),
    memory: await each('memory', plan.memory, (size) => {
      const input: MemoryInput = { size, changes: memoryChanges };
      return inFreshNamespace((namespace) => runProgram<MemoryResult>(namespace, 'memory', input));
    }),
    pauses: (
      await each('pauses', plan.pauses, (size) => {
        const input: PausesInput = { size, ...plan.acts };
        return inFreshNamespace((namespace) => runProgram<readonly PausesResult[]>(namespace, 'pauses', input));
      })
    ).flat(),
    filter: await each('filter', plan.filter, (size) => measureFilter(size, rounds)),
    latency: await measureLatency(plan.latency, plan.connections),
    directReturn: await measureDirectReturn(plan.directReturn),
    peers: await measurePeers(plan.peers),
  };
}

/** The default exposure at every size; of several, local routes alone at the largest too, where addresses weigh most. */
function vipModes(plan: Plan, size: Size): readonly VipMode[] {
  const largest = Math.max(0, ...plan.cold.map(({ services }) => services));
  return plan.cold.length > 1 && size.services === largest && size.family === 'IPv4'
    ? ['address', 'route']
    : ['address'];
}

/** One after the other, with a line for each. */
async function each<Case, Result>(
  name: string,
  cases: readonly Case[],
  take: (one: Case) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const one of cases) {
    process.stderr.write(`${name} ${JSON.stringify(one)}\n`);
    results.push(await take(one));
  }
  return results;
}

async function machineFacts(): Promise<MachineFacts> {
  const processors = cpus();
  const cpuinfo = await readFile('/proc/cpuinfo', 'utf8');
  const { stdout } = await execa('ipvsadm', ['--version']);
  return {
    kernel: release(),
    isUserMode: cpuinfo.includes('User Mode Linux'),
    processor: /^host\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? processors[0]?.model ?? 'unknown',
    processors: processors.length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    node: process.version,
    ipvsadm: stdout.split('\n', 1)[0] ?? '',
    ...calibrate(),
  };
}
