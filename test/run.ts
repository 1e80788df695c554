/** `npm test`: prerequisites, build, checks and all tests. The last line counts the tests. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failedPart, type Part, type PartResult, runPart } from './all/part.ts';
import { buildPart, checkPart, labPart, prerequisitesPart, unitPart } from './all/parts.ts';
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
  const lab = [labPart('kernel', reports), labPart('api', reports)];
  const prerequisites = await runPart(prerequisitesPart);
  const built = prerequisites.outcome === 'passed' ? await runPart(buildPart) : notRun(buildPart);
  const checked = await runPart(checkPart);
  const unit = await runPart(unitPart(reports));
  // Each has a machine, and so a core, of its own.
  const inLab = built.outcome === 'passed' ? await Promise.all(lab.map(runPart)) : lab.map(notRun);
  return [prerequisites, built, checked, unit, ...inLab];
}

function notRun(part: Part): PartResult {
  return failedPart(part, 'not run, because a part before it failed');
}
