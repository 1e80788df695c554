import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { failedPart, runPart } from './part.ts';
import { prefixLines } from './prefix-lines.ts';
import { countTests } from './report.ts';
import { renderSummary } from './summary.ts';

test('a file that could not be loaded counts as a failed test', () => {
  const passed = { status: 'passed', fullName: 'holds', failureMessages: [] };
  const failed = { status: 'failed', fullName: 'breaks', failureMessages: ['expected 1 to be 2\n    at here'] };
  const broken = {
    name: resolve('test/broken.test.ts'),
    status: 'failed',
    message: 'no such module',
    assertionResults: [],
  };
  const failing = {
    name: resolve('test/a.test.ts'),
    status: 'failed',
    message: '',
    assertionResults: [failed, passed],
  };
  const counts = countTests({ numPassedTests: 1, numFailedTests: 1, testResults: [broken, failing] });
  const failures = ['test/broken.test.ts: no such module', 'test/a.test.ts > breaks: expected 1 to be 2'];
  expect(counts).toEqual({ passed: 1, failed: 2, failures });
});

test('a part that ran no test has failed', async () => {
  const result = await runPart({ name: 'empty', run: () => Promise.resolve({ passed: 0, failed: 0, failures: [] }) });
  expect(result).toMatchObject({ outcome: 'failed', reason: 'it ran no test' });
});

test('a part that rejects has failed with its first line as the reason', async () => {
  const result = await runPart({ name: 'broken', run: () => Promise.reject(new Error('no kernel\nat all')) });
  expect(result).toMatchObject({ outcome: 'failed', reason: 'no kernel', counts: undefined });
});

test('the last lines name what failed and count the tests of all parts', () => {
  const part = { outcome: 'passed', seconds: 1, reason: undefined } as const;
  const text = renderSummary([
    { ...part, name: 'unit', counts: { passed: 3, failed: 0, failures: [] } },
    { ...part, name: 'kernel', counts: { passed: 4, failed: 1, failures: ['test/a.test.ts > breaks: why'] } },
    failedPart({ name: 'api', run: () => Promise.resolve(undefined) }, 'not run'),
  ]);
  expect(text.split('\n').slice(-2)).toEqual(['✗ kernel │ test/a.test.ts > breaks: why', '7 passed, 1 failed']);
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
