import { expect, it } from 'vitest';
import { makeLog } from '../../src/app/log.ts';
import { logWarnings } from '../../src/app/log-warnings.ts';

it('writes one line for each kind of notice, with every setting in it', () => {
  const lines: string[] = [];
  const log = makeLog({ level: 'warn', format: 'json', destination: { write: (text) => lines.push(text) } });
  const names = Array.from({ length: 60 }, (_, index) => `--flag-${index}`);
  const why = 'w'.repeat(40);
  logWarnings(log, [
    ...names.map((name) => ({ kind: 'ignored', name, why }) as const),
    { kind: 'unknown-field', name: 'a.b', why: 'unknown' },
    { kind: 'duplicate-field', name: 'c', why: 'twice' },
  ]);
  const records = lines.map((line) => JSON.parse(line) as { readonly msg: string; readonly settings: unknown });
  expect(records.map(({ settings }) => settings)).toEqual([
    { 'a.b': 'unknown', c: 'twice' },
    Object.fromEntries(names.map((name) => [name, why])),
  ]);
});

it('writes nothing when there is nothing to tell', () => {
  const lines: string[] = [];
  logWarnings(makeLog({ level: 'trace', format: 'json', destination: { write: (text) => lines.push(text) } }), []);
  expect(lines).toEqual([]);
});
