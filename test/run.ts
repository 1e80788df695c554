/** `npm test`: prerequisites, build, checks and all tests. The last line counts the tests. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failedPart, type Part, type PartResult, runPart } from './all/part.ts';
import { benchGuardPart, buildPart, checkPart, hostPart, labPart, prerequisitesPart } from './all/parts.ts';
import { renderSummary } from './all/summary.ts';

const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
try {
  const results = await runAll(folder);
  console.log(renderSummary(results));
  process.exitCode = results.some((each) => each.outcome !== 'passed') ? 1 : 0;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function runAll(reports: string): Promise<readonly PartResult[]> {
  const prerequisites = await runPart(prerequisitesPart);
  const built = prerequisites.outcome === 'passed' ? await runPart(buildPart) : notRun(buildPart);
  const checked = await runPart(checkPart);
  const unit = await runPart(hostPart('unit', reports));
  const image =
    built.outcome === 'passed' ? await runPart(hostPart('image', reports)) : notRun(hostPart('image', reports));
  const kernel = (shard: string): Part => labPart('kernel', reports, shard);
  // Those with a cluster time what they do, and each takes the other's time: kernel tests run beside them.
  const suites = [labPart('cluster', reports), kernel('1/3'), labPart('api', reports), kernel('2/3'), kernel('3/3')];
  const inLab = await runSideBySide(suites, built.outcome === 'passed');
  // Alone: it measures.
  const guard = built.outcome === 'passed' ? await runPart(benchGuardPart) : notRun(benchGuardPart);
  return [prerequisites, built, checked, unit, image, ...inLab, guard];
}

/** Two machines at a time, each with a core of its own; whichever is free takes the next part. */
async function runSideBySide(parts: readonly Part[], canRun: boolean): Promise<readonly PartResult[]> {
  const results: PartResult[] = [];
  const queue = [...parts];
  const work = async (): Promise<void> => {
    for (let part = queue.shift(); part !== undefined; part = queue.shift()) {
      results.push(canRun ? await runPart(part) : notRun(part));
    }
  };
  await Promise.all([work(), work()]);
  return results;
}

function notRun(part: Part): PartResult {
  return failedPart(part, 'not run, because a part before it failed');
}
