import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { peersMarkdown } from './peers-report.ts';
import { chartsOf } from './plot/charts.ts';
import { drawDocument } from './plot/document.ts';
import type { BenchResult } from './result.ts';

const document = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));
const diagrams = fileURLToPath(new URL('../../docs/performance-peers.svg', import.meta.url));
const results = fileURLToPath(new URL('./results', import.meta.url));

/** What stands between the marks, and the diagrams, are written by `npx vitest run test/bench/results.test.ts -u`. */
const marked = /(<!-- test\/bench\/results\/peers\*\.json -->\n)[^]*?(<!-- end -->)/;

const runs = readdirSync(results)
  .filter((name) => name.startsWith('peers'))
  .sort(bySize)
  .map(read);

describe('docs/performance.md', () => {
  it('has the tables of the committed runs beside other proxies', async () => {
    expect(runs).not.toEqual([]);
    const text = readFileSync(document, 'utf8');
    expect(text).toMatch(marked);
    const tables = runs.map(peersMarkdown);
    const expected = text.replace(
      marked,
      (_, begin: string, end: string) => `${begin}\n${tables.join('\n\n')}\n\n${end}`,
    );
    await expect(expected).toMatchFileSnapshot(document);
  });

  it('shows the diagrams of the same runs', async () => {
    expect(readFileSync(document, 'utf8')).toContain('](performance-peers.svg)');
    const [first] = runs;
    const charts = first === undefined ? [] : chartsOf({ ...first, peers: runs.flatMap(({ peers }) => peers) });
    await expect(drawDocument(charts)).toMatchFileSnapshot(diagrams);
  });
});

function bySize(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}

function read(name: string): BenchResult {
  // Written by `npm run bench -- --only peers --json FILE`.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(readFileSync(join(results, name), 'utf8')) as BenchResult;
}
