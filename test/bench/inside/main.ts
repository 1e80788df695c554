/** Takes the measures one after the other; runs as root in the lab. Argument: a `Plan` as JSON. */

import { readFile, rename, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { VipMode } from '../../../src/core/model/vip.ts';
import { measureJsonAlone } from '../json-alone.ts';
import type { Plan } from '../plan.ts';
import type {
  ChangeResult,
  JsonAloneResult,
  LabResult,
  MachineFacts,
  MemoryResult,
  PausesResult,
  Size,
  TrafficResult,
  WatchAloneResult,
} from '../result.ts';
import type { ActsPlan } from './acts.ts';
import type { AloneInput } from './alone.ts';
import { byteServer } from './byte-server.ts';
import { calibrate } from './calibrate.ts';
import type { ChangeInput } from './change.ts';
import { type Program, readArgument, runProgram } from './child.ts';
import { measureCold } from './cold.ts';
import { measureDirectReturn } from './direct-return.ts';
import { measureFilter } from './filter.ts';
import { measureLatency } from './latency.ts';
import type { MemoryInput } from './memory.ts';
import { withNeighbours } from './neighbours.ts';
import { inFreshNamespace } from './network-namespace.ts';
import { isProfiling, nodeOptions, serverOptions } from './node-options.ts';
import type { PausesInput } from './pauses.ts';
import { measurePeers } from './peers/peers.ts';
import { measureRestart } from './restart.ts';
import { touchMemory } from './touch-memory.ts';
import type { TrafficInput } from './traffic.ts';
import { measureUdp } from './udp.ts';
import { endpointPort } from './world.ts';

/** How many changes an agent sees before its memory is read again. */
const memoryChanges = 60;

const nothing = { cold: [], restart: [], change: [], memory: [], filter: [], latency: [], peers: [] };

await measure(readArgument<Plan>());

/** What is done so far is written after each part, and after each of the peers: a run that is broken off keeps it. */
async function measure(plan: Plan): Promise<void> {
  await touchMemory();
  let result: LabResult = { machine: await machineFacts(), rounds: plan.rounds, seconds: {}, ...nothing };
  const keep = async (part: Partial<LabResult>) => {
    result = { ...result, ...part };
    await save(result);
  };
  for (const { name, isWanted, take } of parts(plan, keep)) {
    if (isWanted) {
      const began = performance.now();
      const part = await take(result);
      await keep({ ...part, seconds: { ...result.seconds, [name]: (performance.now() - began) / 1_000 } });
    }
  }
}

/** Whoever reads it finds all of it. */
async function save(result: LabResult): Promise<void> {
  const file = join(process.env['SLUICE_LAB_RESULTS'] ?? '.', 'result.json');
  await writeFile(`${file}.part`, JSON.stringify(result, null, 2));
  await rename(`${file}.part`, file);
}

interface Part {
  readonly name: string;
  readonly isWanted: boolean;
  /** `before`: what is measured already. */
  readonly take: (before: LabResult) => Promise<Partial<LabResult>>;
}

function parts(plan: Plan, keep: (part: Partial<LabResult>) => Promise<void>): readonly Part[] {
  const { rounds, changes } = plan;
  return [
    ofSizes('cold', plan.cold, async () => ({
      cold: (await each('cold', plan.cold, (size) => measureCold(size, vipModes(plan, size), rounds))).flat(),
    })),
    ofSizes('restart', plan.restart, async () => ({
      restart: await each('restart', plan.restart, (size) => measureRestart(size, 'address', rounds)),
    })),
    ofSizes('change', plan.change, async () => {
      const input = (size: Size): ChangeInput => ({ size, changes });
      const take = (size: Size) => fresh<readonly ChangeResult[]>('change', input(size));
      return { change: (await each('change', plan.change, take)).flat() };
    }),
    ofSizes('memory', plan.memory, async () => {
      const input = (size: Size): MemoryInput => ({ size, changes: memoryChanges });
      return { memory: await each('memory', plan.memory, (size) => fresh<MemoryResult>('memory', input(size))) };
    }),
    ofSizes('pauses', plan.pauses, async () => {
      const take = (size: Size) => takePauses(size, plan.acts);
      return {
        pauses: (await each('pauses', plan.pauses, take)).flat(),
        watchAlone: (await eachWatchAlone(plan.pauses, plan.acts)).flat(),
        jsonAlone: await eachJsonAlone(plan.pauses),
      };
    }),
    ofSizes('traffic', plan.traffic, async () => {
      const take = (size: Size) => takeTraffic(size, plan.trafficActs);
      return { traffic: (await each('traffic', plan.traffic, take)).flat() };
    }),
    ofSizes('filter', plan.filter, async () => ({
      filter: await each('filter', plan.filter, (size) => measureFilter(size, rounds)),
    })),
    ofSizes('udp', plan.udp, async () => ({
      udp: await each('udp flows', plan.udp, (flows) => measureUdp(flows, rounds)),
    })),
    ofSizes('latency', plan.latency, async () => ({ latency: await measureLatency(plan.latency, plan.connections) })),
    {
      name: 'direct-return',
      isWanted: plan.directReturn.megabytes > 0,
      take: async () => ({ directReturn: await measureDirectReturn(plan.directReturn) }),
    },
    ...largeParts(plan),
    ofSizes('peers', plan.peers.sizes, async () => ({
      peers: await measurePeers(plan.peers, (peers) => keep({ peers })),
    })),
  ];
}

/** In the same tables as the usual sizes. */
function largeParts({ large, acts }: Plan): readonly Part[] {
  const { sizes, rounds } = large;
  return [
    ofSizes('large cold', sizes, async ({ cold }) => {
      const take = (size: Size) => measureCold(size, ['address', 'route'], rounds);
      return { cold: [...cold, ...(await each('large, cold', sizes, take)).flat()] };
    }),
    ofSizes('large restart', sizes, async ({ restart }) => {
      const take = (size: Size) => measureRestart(size, 'address', rounds);
      return { restart: [...restart, ...(await each('large, restart', sizes, take))] };
    }),
    ofSizes('large shipped', sizes, async ({ pauses = [], watchAlone = [], jsonAlone = [] }) => {
      const take = (size: Size) => takePauses(size, { ...acts, acts: [] });
      return {
        pauses: [...pauses, ...(await each('large, shipped', sizes, take)).flat()],
        watchAlone: [...watchAlone, ...(await eachWatchAlone(sizes, { ...acts, acts: [] })).flat()],
        jsonAlone: [...jsonAlone, ...(await eachJsonAlone(sizes))],
      };
    }),
  ];
}

function ofSizes(name: string, sizes: readonly unknown[], take: Part['take']): Part {
  return { name, isWanted: sizes.length > 0, take };
}

function takePauses(size: Size, plan: ActsPlan): Promise<readonly PausesResult[]> {
  const input: PausesInput = { size, ...plan };
  return fresh<readonly PausesResult[]>('pauses', input);
}

function eachWatchAlone(
  sizes: readonly Size[],
  { acts, churnSeconds }: ActsPlan,
): Promise<readonly (readonly WatchAloneResult[])[]> {
  const take = (size: Size) => {
    const input: AloneInput = { size, starts: 3, churnSeconds: acts.length === 0 ? 0 : churnSeconds };
    return fresh<readonly WatchAloneResult[]>('alone', input);
  };
  return each('watching alone', isProfiling() ? [] : sizes, take);
}

/** A profile of it says nothing of the agent. */
function eachJsonAlone(sizes: readonly Size[]): Promise<readonly JsonAloneResult[]> {
  return each('JSON alone', isProfiling() ? [] : sizes, takeJsonAlone);
}

function takeJsonAlone(size: Size): Promise<JsonAloneResult> {
  return measureJsonAlone(size, 'test kernel', () =>
    inFreshNamespace((namespace) =>
      runProgram(namespace, { name: 'json-alone', options: nodeOptions('json-alone', size) }, size),
    ),
  );
}

function takeTraffic(size: Size, plan: ActsPlan): Promise<readonly TrafficResult[]> {
  return inFreshNamespace((node) =>
    withNeighbours(node, byteServer(endpointPort), (client) => {
      const input: TrafficInput = { size, client, ...plan };
      return runProgram<readonly TrafficResult[]>(node, withServer('traffic', size), input);
    }),
  );
}

function fresh<Answer>(name: string, input: { readonly size: Size }): Promise<Answer> {
  return inFreshNamespace((namespace) => runProgram<Answer>(namespace, withServer(name, input.size), input));
}

/** Beside what they measure, these programs are the API server. */
function withServer(name: string, size: Size): Program {
  return { name, options: serverOptions(name, size) };
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
