import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { build } from '../build/build.ts';
import { ownArchitecture } from '../image/architecture.ts';
import { buildImage } from '../image/image.ts';
import { imageFolder } from '../image/image-name.ts';
import { labSteps } from '../lab/run.ts';
import { allSuiteSteps, type LabSuite, reportName, runSuiteInLab } from '../lab/suites.ts';
import { kernelStep } from '../prerequisites/kernel.ts';
import { packagesStep } from '../prerequisites/packages.ts';
import { runSteps } from '../prerequisites/steps.ts';
import type { Counts, Part } from './part.ts';
import { prefixLines } from './prefix-lines.ts';
import { readReport } from './report.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export const prerequisitesPart: Part = {
  name: 'prerequisites',
  run: async () => {
    // Which steps the lab has is known only with the packages at hand.
    await runSteps([packagesStep]);
    // The kernel also where the lab has the host's: it can start without IPVS (test/scenarios/without-ipvs.image.test.ts).
    await runSteps([...new Set([...(await labSteps()), kernelStep, ...allSuiteSteps])]);
    return undefined;
  },
};

export const buildPart: Part = {
  name: 'build',
  run: async () => {
    await build((line) => console.log(line));
    await buildImage(ownArchitecture(), { folder: imageFolder, report: () => {} });
    return undefined;
  },
};

export const checkPart: Part = {
  name: 'check',
  run: async () => {
    await execa('npm', ['run', '--silent', 'check'], { cwd: root, stdio: 'inherit' });
    return undefined;
  },
};

/** The tests that need no kernel of their own, or those of what `npm run image` builds. */
export function hostPart(project: 'unit' | 'image', reports: string): Part {
  return {
    name: project,
    run: async () => {
      const report = join(reports, `${project}.json`);
      const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
      const { exitCode } = await execa('npx', ['vitest', 'run', '--project', project, ...reporters], {
        cwd: root,
        stdio: 'inherit',
        reject: false,
        env: process.stdout.isTTY ? {} : { NO_COLOR: '1' },
      });
      return countsOf(report, exitCode ?? 125);
    },
  };
}

/** A vitest project in the lab, or one `shard` of it ("1/2"). Several run side by side, so each line says whose it is. */
export function labPart(suite: LabSuite, reports: string, shard?: string): Part {
  const name = shard === undefined ? suite : `${suite} ${shard}`;
  return {
    name,
    run: async () => {
      const results = await mkdtemp(join(reports, suite));
      const output = prefixLines(`${name.padEnd(10)} │ `, (line) => console.log(line));
      const options = { results, onOutput: output.write };
      const status = await runSuiteInLab(suite, shard === undefined ? [] : [`--shard=${shard}`], options);
      output.end();
      return countsOf(join(results, reportName), status);
    },
  };
}

/** The small part of the benchmark that holds sluice against C in the same run. */
export const benchGuardPart: Part = {
  name: 'bench guard',
  run: async () => {
    await execa('npm', ['run', '--silent', 'bench', '--', '--guard'], { cwd: root, stdio: 'inherit' });
    return undefined;
  },
};

async function countsOf(report: string, status: number): Promise<Counts> {
  const counts = await readReport(report);
  if (counts === undefined) throw new Error(`vitest ended with status ${status} and left no report`);
  if (status !== 0 && counts.failed === 0 && counts.passed > 0) {
    throw new Error(`all ${counts.passed} tests passed, but vitest ended with status ${status}`);
  }
  return counts;
}
