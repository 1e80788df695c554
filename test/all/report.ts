import { readFile } from 'node:fs/promises';
import type { Counts } from './part.ts';

/** What is read of vitest's JSON report. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** The tests counted in a report of vitest's JSON reporter; `undefined` when there is no report. */
export async function readReport(path: string): Promise<Counts | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : countTests(JSON.parse(text) as Report);
}

/** A file that could not be loaded, or whose set-up failed, has failed without a failed test: it counts as one. */
export function countTests(report: Report): Counts {
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + brokenFiles.length };
}
