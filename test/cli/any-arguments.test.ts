import fc from 'fast-check';
import { expect, it } from 'vitest';
import { flags } from '../../src/app/config/flags.ts';
import { foreignFlags } from '../../src/app/config/foreign/flags.ts';
import { parseInvocation } from '../../src/cli/arguments.ts';

const names = [...flags, ...foreignFlags].map(({ name }) => name);
const value = fc.oneof(
  fc.constantFrom('', 'true', 'false', '0', '30s', '10.0.0.0/8', 'lc', '-1', '::', '=', '--'),
  fc.string(),
);
const argument = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom(...names), value).map(([name, text]) => `--${name}=${text}`) },
  { weight: 2, arbitrary: fc.constantFrom(...names).map((name) => `--${name}`) },
  { weight: 1, arbitrary: fc.constantFrom('run', 'plan', 'cleanup', 'trace', 'version', '-v', '-v=', '-h', '--', '-') },
  { weight: 1, arbitrary: fc.string() },
);

it('makes something to do, or at least one problem, out of any command line', () => {
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 6 }), value, (argv, text) => {
      const invocation = parseInvocation(argv, () => text);
      const problems = invocation.kind === 'problems' ? invocation.problems.length : 1;
      expect(problems).toBeGreaterThan(0);
    }),
    { numRuns: 1_000 },
  );
});
