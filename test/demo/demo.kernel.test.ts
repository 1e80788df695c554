import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runDemo } from './demo.ts';
import { failedChecks } from './step.ts';

test('the demo shows in six steps what it promises, and leaves the nodes as they were', async () => {
  const results = await runDemo({
    sluiceProgram: fileURLToPath(new URL('../../dist/sluice.mjs', import.meta.url)),
    manifests: fileURLToPath(new URL('./manifests', import.meta.url)),
    begins: () => {},
    ended: () => {},
  });
  expect(results.flatMap(failedChecks)).toEqual([]);
  expect(results.map((result) => result.checks.length > 0)).toEqual([true, true, true, true, true, true]);
}, 180_000);
