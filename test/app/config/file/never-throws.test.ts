import fc from 'fast-check';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { foreignSettings } from '../../../../src/app/config/foreign/flags.ts';
import { fileWith, givenConfig } from '../given-config.ts';

const paths = foreignSettings.flatMap(({ field }) => field ?? []);
const names = [...new Set(paths.flatMap((path) => path.split('.'))), 'apiVersion', 'kind', '__proto__', ''];

const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    14,
    -1,
    1.5,
    '',
    '30s',
    '0s',
    'lc',
    'primary',
    '10.0.0.0/8',
    'nftables',
  ),
  fc.string(),
  fc.integer(),
  fc.double(),
);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), tie('tree'), { maxKeys: 6 }),
  ),
}));
const field = fc.tuple(fc.constantFrom(...paths), fc.oneof(scalar, tree));

/** Either a configuration, or at least one problem with all its parts. */
function expectReading(text: string): void {
  const { configuration, problems } = givenConfig([], text);
  expect(configuration === undefined).toBe(problems.length > 0);
  for (const problem of problems) {
    expect(problem).toMatch(/^.+: expected .+, given .+\. .+\.$/s);
  }
}

it('makes a configuration or problems out of any tree', () => {
  fc.assert(
    fc.property(tree, fc.boolean(), (value, isJson) => {
      expectReading(isJson ? JSON.stringify(value) : stringify(value));
    }),
    { numRuns: 300 },
  );
});

it('makes a configuration or problems out of any values of its fields', () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 8 }), (fields) => {
      expectReading(fileWith(stringify(nested(fields))));
    }),
    { numRuns: 500 },
  );
});

it('makes a configuration or problems out of any text', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string()), fc.boolean(), (text, isFields) => {
      expectReading(isFields ? fileWith(text) : text);
    }),
    { numRuns: 500 },
  );
});

function nested(fields: readonly (readonly [string, unknown])[]): unknown {
  const root: Record<string, Record<string, unknown>> = {};
  for (const [path, value] of fields) {
    const [first = '', second] = path.split('.');
    root[first] = second === undefined ? (value as Record<string, unknown>) : { ...root[first], [second]: value };
  }
  return root;
}
