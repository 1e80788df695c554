/** `npm run bench`: what sluice costs, measured in the test kernel. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LabCommand } from '../lab/machine/command.ts';
import { runInEmulator } from '../lab/machine/emulator.ts';
import { raiseMapCount } from '../lab/machine/map-count.ts';
import { runInLab } from '../lab/run.ts';
import { emulatedKernel, emulatorSteps } from '../prerequisites/emulator.ts';
import { kubernetesSteps } from '../prerequisites/kubernetes.ts';
import { packagesStep } from '../prerequisites/packages.ts';
import { peerSteps } from '../prerequisites/peers.ts';
import { runSteps } from '../prerequisites/steps.ts';
import { bundlePrograms } from './bundle.ts';
import { exceededLimits } from './limits.ts';
import { type Options, readOptions, usage } from './options.ts';
import { report } from './report.ts';
import type { BenchResult, LabResult } from './result.ts';

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
  const result = await measure(options, folder);
  if (result === undefined) {
    return 1;
  }
  process.stdout.write(`${report(result)}\n`);
  const json = resolve(options.json ?? join(tmpdir(), `sluice-bench-${process.pid}.json`));
  await writeFile(json, `${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(`\nnumbers: ${json}\n`);
  const exceeded = options.limits === undefined ? [] : await exceededLimits(result, options.limits);
  process.stderr.write(exceeded.map((line) => `limit exceeded: ${line}\n`).join(''));
  return exceeded.length > 0 ? 1 : 0;
}

/** Undefined when the run in the lab failed; it has said why. */
async function measure(options: Options, folder: string): Promise<BenchResult | undefined> {
  try {
    const program = await bundlePrograms(folder);
    const results = options.profile === undefined ? folder : resolve(options.profile);
    await mkdir(results, { recursive: true });
    const profiling = options.profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir=/out/results'];
    const args = [...profiling, program, JSON.stringify(options.plan)];
    const [before = Number.NaN] = loadavg();
    const status = await run({ file: process.execPath, args, cwd: folder, env: {} }, options, results);
    if (status !== 0) {
      process.stderr.write(`the run in the lab failed with ${status}\n`);
      return undefined;
    }
    const [after = Number.NaN] = loadavg();
    // Written by the program that was just bundled from this tree.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const measured = JSON.parse(await readFile(join(results, 'result.json'), 'utf8')) as LabResult;
    return { ...measured, hostLoad: { before, after } };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(command: LabCommand, { kernel, plan }: Options, results: string): Promise<number> {
  const withPeers = plan.peers.sizes.length > 0;
  if (withPeers) {
    await runSteps([packagesStep, ...peerSteps, ...kubernetesSteps]);
    await raiseMapCount();
  }
  const options = { memory: withPeers ? '8192M' : '4096M', timeLimitSeconds: withPeers ? 5_400 : 1_800, results };
  switch (kernel) {
    case 'user-mode':
      return runInLab(command, options);
    case 'tcg':
      await runSteps([packagesStep, ...emulatorSteps]);
      return runInEmulator(await emulatedKernel(), command, options);
  }
}
