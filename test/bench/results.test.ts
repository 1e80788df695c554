import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { peersMarkdown } from './peers-report.ts';
import { chartsOf } from './plot/charts.ts';
import { drawDocument } from './plot/document.ts';
import { profilesTables } from './profiles-report.ts';
import { machineLines, report } from './report.ts';
import type { BenchResult } from './result.ts';

const document = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));

/** Files whose names begin so, with what is made of each. */
const withDiagrams = [
  { kind: 'run', toText: reportText },
  { kind: 'peers', toText: peersMarkdown },
] as const;
const kinds = [
  ...withDiagrams,
  { kind: 'tcg', toText: reportText },
  { kind: 'profile', toText: profilesText },
] as const;

/** What stands between the marks, and the diagrams, are written by `npx vitest run test/bench/results.test.ts -u`. */
describe('docs/performance.md', () => {
  it('has the tables of the committed runs', async () => {
    const text = readFileSync(document, 'utf8');
    const expected = kinds.reduce((before, { kind, toText }) => {
      const [begin, end] = [`<!-- test/bench/results/${kind}*.json -->\n`, `<!-- end of ${kind} -->`];
      const [head = '', rest] = before.split(begin);
      const tail = rest?.split(end)[1];
      expect(tail, `the marks of ${kind}`).toBeDefined();
      return `${head}${begin}\n${resultsOf(kind).map(toText).join('\n\n')}\n\n${end}${tail}`;
    }, text);
    await expect(expected).toMatchFileSnapshot(document);
  });

  it.each(withDiagrams)('shows the diagrams of the runs whose files begin with $kind', async ({ kind }) => {
    const diagrams = `performance-${kind}.svg`;
    expect(readFileSync(document, 'utf8')).toContain(`](${diagrams})`);
    const charts = chartsOf(together(resultsOf(kind)));
    expect(charts).not.toEqual([]);
    await expect(drawDocument(charts)).toMatchFileSnapshot(
      fileURLToPath(new URL(`../../docs/${diagrams}`, import.meta.url)),
    );
  });
});

function reportText(result: BenchResult): string {
  return `\`\`\`text\n${report(result)}\n\`\`\``;
}

/** Under a profile the other numbers mean nothing. */
function profilesText(result: BenchResult): string {
  return `\`\`\`text\n${[machineLines(result), ...profilesTables(result.profiles)].join('\n\n')}\n\`\`\``;
}

/** From the smallest number in the name to the largest. */
function resultsOf(kind: string): readonly BenchResult[] {
  return readdirSync(new URL('./results', import.meta.url))
    .filter((name) => name.startsWith(kind))
    .sort((one, other) => one.localeCompare(other, 'en', { numeric: true }))
    .map(read);
}

function read(name: string): BenchResult {
  // Written by `npm run bench -- --json FILE`.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(readFileSync(new URL(`./results/${name}`, import.meta.url), 'utf8')) as BenchResult;
}

/** What several runs measured, as if it were one. */
function together(results: readonly BenchResult[]): BenchResult {
  const [first] = results;
  if (first === undefined) {
    throw new Error('expected a committed result, found none');
  }
  return {
    ...first,
    cold: results.flatMap(({ cold }) => cold),
    restart: results.flatMap(({ restart }) => restart),
    change: results.flatMap(({ change }) => change),
    memory: results.flatMap(({ memory }) => memory),
    pauses: results.flatMap(({ pauses = [] }) => pauses),
    traffic: results.flatMap(({ traffic = [] }) => traffic),
    latency: results.flatMap(({ latency }) => latency),
    peers: results.flatMap(({ peers }) => peers),
  };
}
