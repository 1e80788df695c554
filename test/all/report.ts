import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import type { Counts } from './part.ts';

/** What is read of vitest's JSON report. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly FileReport[];
}

interface FileReport {
  readonly name: string;
  readonly status: string;
  /** Why the file itself failed. */
  readonly message: string;
  readonly assertionResults: readonly {
    readonly status: string;
    readonly fullName: string;
    readonly failureMessages: readonly string[];
  }[];
}

/** The tests counted in a report of vitest's JSON reporter; `undefined` when there is no report. */
export async function readReport(path: string): Promise<Counts | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : countTests(JSON.parse(text) as Report);
}

/** A file that could not be loaded, or whose set-up failed, has failed without a failed test: it counts as one. */
export function countTests(report: Report): Counts {
  const failures = report.testResults.flatMap(failuresOf);
  return { passed: report.numPassedTests, failed: failures.length, failures };
}

function failuresOf({ name, status, message, assertionResults }: FileReport): readonly string[] {
  const file = relative('', name);
  const failed = assertionResults.filter((test) => test.status === 'failed');
  if (failed.length === 0) return status === 'failed' ? [`${file}: ${firstLine(message)}`] : [];
  return failed.map((test) => `${file} > ${test.fullName}: ${firstLine(test.failureMessages[0] ?? '')}`);
}

function firstLine(message: string): string {
  return message.trim().split('\n')[0] ?? '';
}
