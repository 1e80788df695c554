import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { makeMetrics } from '../../../src/app/metrics/metrics.ts';

it('docs/health-metrics-events.md tells of every metric, with its type', async () => {
  const page = await readFile(new URL('../../../docs/health-metrics-events.md', import.meta.url), 'utf8');
  const told = [...page.matchAll(/^\| `([a-z_]+)` \| (counter|gauge|histogram) \|/gm)].map(
    ([, name, type]) => `${name} ${type}`,
  );
  const readProcess = () => ({ residentBytes: 0, cpuSeconds: 0, startTimeSeconds: 0 });
  const declared = makeMetrics({ version: 'test', readProcess })
    .render()
    .matchAll(/^# TYPE (.+)$/gm);
  expect(told.sort()).toEqual([...declared].map(([, text = '']) => text).sort());
});
