import Table from 'cli-table3';
import type { PartResult } from './part.ts';

/** A table of the parts, what failed in them and, as the very last line, how many tests passed and failed. */
export function renderSummary(results: readonly PartResult[]): string {
  const table = new Table({
    head: ['part', 'seconds', 'passed', 'failed', ''],
    colAligns: ['left', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [] },
  });
  for (const { name, seconds, counts, outcome, reason } of results) {
    table.push([name, seconds.toFixed(1), counts?.passed ?? '', counts?.failed ?? '', reason ?? outcome]);
  }
  const passed = sum(results.map((each) => each.counts?.passed ?? 0));
  const failed = sum(results.map((each) => each.counts?.failed ?? 0));
  const failures = results.flatMap(({ name, counts }) => (counts?.failures ?? []).map((each) => `✗ ${name} │ ${each}`));
  return ['', table.toString(), ...failures, `${passed} passed, ${failed} failed`].join('\n');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
