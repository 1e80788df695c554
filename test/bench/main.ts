/** `npm run bench`: what sluice costs, measured in the test kernel. */

import { unwatchFile, watchFile } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { shippedNodeOptions } from '../build/node-options.ts';
import { shippedNode } from '../image/node-package.ts';
import type { LabCommand, LabOptions } from '../lab/machine/command.ts';
import { runInEmulator } from '../lab/machine/emulator.ts';
import { raiseMapCount } from '../lab/machine/map-count.ts';
import { runInLab } from '../lab/run.ts';
import { emulatedKernel, emulatorSteps } from '../prerequisites/emulator.ts';
import { kubernetesSteps } from '../prerequisites/kubernetes.ts';
import { packagesStep } from '../prerequisites/packages.ts';
import { peerSteps } from '../prerequisites/peers.ts';
import { runSteps } from '../prerequisites/steps.ts';
import { bundlePrograms } from './bundle.ts';
import { readAnswer } from './inside/child.ts';
import type { JsonAloneAnswer } from './inside/json-alone.ts';
import { measureJsonAlone } from './json-alone.ts';
import { exceededLimits } from './limits.ts';
import { type Options, readOptions, usage } from './options.ts';
import { chartsOf } from './plot/charts.ts';
import { drawDocument } from './plot/document.ts';
import { collectProfiles } from './profiles/collect-profiles.ts';
import { report } from './report.ts';
import type { BenchResult, JsonAloneResult, LabResult, ProfileResult } from './result.ts';

process.exitCode = await main(process.argv.slice(2));

/** 0: done. 1: a limit is exceeded or a measure failed. 2: the command line is wrong. */
async function main(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = readOptions(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
    return 2;
  }
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const json = resolve(options.json ?? join(tmpdir(), `sluice-bench-${process.pid}.json`));
  try {
    const { status, result } = await measure(options, folder, json);
    if (result !== undefined) {
      process.stdout.write(`${report(result)}\n\nnumbers: ${json}\n`);
      await draw(result, options.svg);
    }
    if (status !== 0 || result === undefined) {
      process.stderr.write(`the run in the lab failed with ${status}\n`);
      return 1;
    }
    const exceeded = options.limits === undefined ? [] : await exceededLimits(result, options.limits);
    process.stderr.write(exceeded.map((line) => `limit exceeded: ${line}\n`).join(''));
    return exceeded.length > 0 ? 1 : 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function draw(result: BenchResult, svg: string | undefined): Promise<void> {
  const charts = chartsOf(result);
  if (svg !== undefined && charts.length > 0) {
    await writeFile(resolve(svg), drawDocument(charts));
    process.stdout.write(`diagrams: ${resolve(svg)}\n`);
  }
}

interface Measured {
  readonly status: number;
  /** What was measured before the run ended, or was ended; undefined when that is nothing. */
  readonly result: BenchResult | undefined;
}

/** Writes to `json` what there is as soon as there is more: a run that is broken off loses only its last part. */
async function measure(options: Options, folder: string, json: string): Promise<Measured> {
  const program = await bundlePrograms(folder, options.profile !== undefined);
  const node = options.nodeProgram === undefined ? await shippedNode() : resolve(options.nodeProgram);
  const results = join(folder, 'results');
  await mkdir(results);
  const [before = Number.NaN] = loadavg();
  const outside: JsonAloneResult[] = [];
  const keep = async (from: string, profiles?: readonly ProfileResult[]): Promise<BenchResult | undefined> => {
    const measured = await readResult(from);
    if (measured === undefined) {
      return undefined;
    }
    const [after = Number.NaN] = loadavg();
    const jsonAlone = [...(measured.jsonAlone ?? []), ...outside];
    const result = { ...measured, jsonAlone, hostLoad: { before, after }, profiles };
    await writeFile(json, `${JSON.stringify(result, null, 2)}\n`);
    return result;
  };
  let seen = '';
  const onStart = (live: string) => {
    seen = join(live, 'result.json');
    watchFile(seen, { interval: 2_000 }, () => void keep(seen));
  };
  const profilesOf = (destination: string) =>
    collectProfiles({ programs: folder, results, destination: resolve(destination) });
  const args = [program, JSON.stringify(options.plan)];
  const env = {
    SLUICE_BENCH_NODE_OPTIONS: JSON.stringify(options.node),
    ...(options.profile === undefined ? {} : { SLUICE_BENCH_PROFILES: 'wanted' }),
  };
  const command = { file: node, args, cwd: folder, env };
  const status = await run(command, options, { results, onStart });
  unwatchFile(seen);
  outside.push(...(status === 0 ? await jsonAloneHere(folder, options, node) : []));
  const last = join(results, 'result.json');
  const result = await keep(last);
  return {
    status,
    result: options.profile === undefined ? result : await keep(last, await profilesOf(options.profile)),
  };
}

/** Of the sizes whose pauses are measured in the test kernel. */
async function jsonAloneHere(
  folder: string,
  { plan, node: nodeOptions, profile }: Options,
  node: string,
): Promise<readonly JsonAloneResult[]> {
  const results: JsonAloneResult[] = [];
  for (const size of profile === undefined ? [...plan.pauses, ...plan.large.sizes] : []) {
    const args = [...shippedNodeOptions, ...nodeOptions, join(folder, 'json-alone.mjs'), JSON.stringify(size)];
    const measureOnce = async () => readAnswer<JsonAloneAnswer>((await execa(node, args)).stdout);
    results.push(await measureJsonAlone(size, 'host kernel', measureOnce));
  }
  return results;
}

/** Undefined when there is none. */
async function readResult(file: string): Promise<LabResult | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  // Written by the program that was just bundled from this tree.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return text === undefined ? undefined : (JSON.parse(text) as LabResult);
}

async function run(
  command: LabCommand,
  { kernel, plan }: Options,
  where: Pick<LabOptions, 'results' | 'onStart'>,
): Promise<number> {
  const withPeers = plan.peers.sizes.length > 0;
  if (withPeers) {
    await runSteps([packagesStep, ...peerSteps, ...kubernetesSteps]);
  }
  if (kernel === 'user-mode' && (withPeers || plan.large.sizes.length > 0)) {
    await raiseMapCount();
  }
  const options = {
    memory: withPeers ? '8192M' : plan.large.sizes.length > 0 ? '6144M' : '4096M',
    timeLimitSeconds: 5_400,
    ...where,
  };
  switch (kernel) {
    case 'user-mode':
      return runInLab(command, options);
    case 'tcg':
      await runSteps([packagesStep, ...emulatorSteps]);
      return runInEmulator(await emulatedKernel(), command, options);
  }
}
