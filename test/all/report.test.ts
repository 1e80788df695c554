import { expect, test } from 'vitest';
import { failedPart, runPart } from './part.ts';
import { prefixLines } from './prefix-lines.ts';
import { countTests } from './report.ts';
import { renderSummary } from './summary.ts';

test('a file that could not be loaded counts as a failed test', () => {
  const broken = { status: 'failed', assertionResults: [] };
  const failing = { status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] };
  const counts = countTests({ numPassedTests: 1, numFailedTests: 1, testResults: [broken, failing] });
  expect(counts).toEqual({ passed: 1, failed: 2 });
});

test('a part that ran no test has failed', async () => {
  const result = await runPart({ name: 'empty', run: () => Promise.resolve({ passed: 0, failed: 0 }) });
  expect(result).toMatchObject({ outcome: 'failed', reason: 'it ran no test' });
});

test('a part that rejects has failed with its first line as the reason', async () => {
  const result = await runPart({ name: 'broken', run: () => Promise.reject(new Error('no kernel\nat all')) });
  expect(result).toMatchObject({ outcome: 'failed', reason: 'no kernel', counts: undefined });
});

test('the last line counts the tests of all parts', () => {
  const part = { outcome: 'passed', seconds: 1, reason: undefined } as const;
  const text = renderSummary([
    { ...part, name: 'unit', counts: { passed: 3, failed: 0 } },
    { ...part, name: 'kernel', counts: { passed: 4, failed: 1 } },
    failedPart({ name: 'api', run: () => Promise.resolve(undefined) }, 'not run'),
  ]);
  expect(text.split('\n').at(-1)).toBe('7 passed, 1 failed');
});

test('chunks become whole lines with a prefix, also when a character is split', () => {
  const lines: string[] = [];
  const output = prefixLines('api │ ', (line) => lines.push(line));
  const bytes = Buffer.from('one\ntwö\nlast');
  output.write(bytes.subarray(0, 7));
  output.write(bytes.subarray(7));
  output.end();
  expect(lines).toEqual(['api │ one', 'api │ twö', 'api │ last']);
});
