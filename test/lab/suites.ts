import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { imagesStep } from '../cluster/images.ts';
import { clusterSteps } from '../prerequisites/cluster.ts';
import { containerdSteps } from '../prerequisites/containerd.ts';
import { helmStep } from '../prerequisites/helm.ts';
import { kubernetesSteps } from '../prerequisites/kubernetes.ts';
import { peerPackagesStep, peerSteps } from '../prerequisites/peers.ts';
import { runSteps, type Step } from '../prerequisites/steps.ts';
import type { LabOptions } from './machine/command.ts';
import { runInLab } from './run.ts';

/** The vitest projects that run in the lab. */
export type LabSuite = 'kernel' | 'api' | 'cluster';

/** The name of the file with vitest's JSON report, in the folder for results. */
export const reportName = 'report.json';

const root = fileURLToPath(new URL('../..', import.meta.url));
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

/** kube-apiserver and etcd need more; nodes with containers, whose disk is memory, most. */
const memory = { kernel: '2048M', api: '4096M', cluster: '8192M' } as const;

/** What each needs beyond the lab itself. */
const suiteSteps: Readonly<Record<LabSuite, readonly Step[]>> = {
  kernel: [peerPackagesStep],
  api: [...kubernetesSteps, ...containerdSteps, ...peerSteps, helmStep],
  cluster: [...kubernetesSteps, ...clusterSteps, imagesStep],
};

/** What all of them together need, each once. */
export const allSuiteSteps: readonly Step[] = [...new Set(Object.values(suiteSteps).flat())];

/** Whether `word` names a suite of the lab. */
export function isLabSuite(word: string): word is LabSuite {
  return word in memory;
}

/** Runs a vitest project in the lab and returns its exit status. With `results`, its JSON report is left there. */
export async function runSuiteInLab(
  suite: LabSuite,
  vitestArguments: readonly string[],
  options: Partial<LabOptions>,
): Promise<number> {
  await runSteps(suiteSteps[suite]);
  const run = [process.execPath, vitest, 'run', '--project', suite, ...vitestArguments];
  const report = ['--reporter=default', '--reporter=json', `--outputFile.json="$SLUICE_LAB_RESULTS/${reportName}"`];
  return runInLab(
    {
      file: 'sh',
      args: ['-c', `exec "$@" ${options.results === undefined ? '' : report.join(' ')}`, 'sh', ...run],
      cwd: root,
      env: {},
    },
    { timeLimitSeconds: 3600, results: undefined, memory: memory[suite], ...options },
  );
}
