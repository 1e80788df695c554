import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** The lint rules that hold the architecture: each must fire on a violation, and stay silent on what is allowed. */

interface Case {
  readonly title: string;
  readonly file: string;
  readonly source: string;
  /** Undefined: the source is allowed. */
  readonly rule: string | undefined;
}

const imports = (specifier: string): string => `import { x } from '${specifier}';\nexport const y = x;\n`;
const returns = (expression: string): string => `export function f(): unknown {\n  return ${expression};\n}\n`;

const cases: readonly Case[] = [
  // src/core is pure
  core('core may import core', imports('./address.ts'), undefined),
  core('core may not import src/kernel', imports('../kernel/ports.ts'), 'no-restricted-imports'),
  core('core may not import src/app', imports('../app/log.ts'), 'no-restricted-imports'),
  core('core may not import the addon', imports('../../native/index.ts'), 'no-restricted-imports'),
  core('core may not import a node: module', imports('node:fs'), 'no-restricted-imports'),
  core('core may not import a package', imports('pino'), 'no-restricted-imports'),
  core('core may not import a package with a scope', imports('@kubernetes/client-node'), 'no-restricted-imports'),
  core(
    'core may not import types from outside',
    `export type { P } from '../kernel/ports.ts';\n`,
    'no-restricted-imports',
  ),
  core('core has no clock', returns('Date.now()'), 'no-restricted-globals'),
  core('core has no monotonic clock', returns('performance.now()'), 'no-restricted-globals'),
  core('core makes no dates', returns('new Date(0)'), 'no-restricted-globals'),
  core('core has no randomness', returns('Math.random()'), 'no-restricted-properties'),
  core('core has no cryptographic randomness', returns('crypto.randomUUID()'), 'no-restricted-globals'),
  core('core has no process', returns('process.env'), 'no-restricted-globals'),
  core('core has no timers', returns('setTimeout(f, 1)'), 'no-restricted-globals'),
  core('core writes to no console', returns('console.log(1)'), 'no-console'),
  core('core finds no way round through globalThis', returns('globalThis.Date.now()'), 'no-restricted-globals'),
  // the other folders
  at('src/kernel/link/a.ts', 'kernel may import core', imports('../../core/address.ts'), undefined),
  at('src/kernel/link/a.ts', 'kernel may import node: modules', imports('node:fs'), undefined),
  at(
    'src/kernel/link/a.ts',
    'kernel may not import the addon',
    imports('../../../native/index.ts'),
    'no-restricted-imports',
  ),
  at('src/kernel/netlink/a.ts', 'kernel/netlink may import the addon', imports('../../../native/index.ts'), undefined),
  at(
    'src/kernel/netlink/a.ts',
    'kernel/netlink may not import app',
    imports('../../app/log.ts'),
    'no-restricted-imports',
  ),
  at('src/kernel/link/a.ts', 'kernel may not import kube', imports('../../kube/list.ts'), 'no-restricted-imports'),
  at('src/kernel/link/a.ts', 'kernel may not log', imports('pino'), 'no-restricted-imports'),
  at('src/kernel/link/a.ts', 'kernel has no clock', returns('Date.now()'), 'no-restricted-globals'),
  at('src/kube/a.ts', 'kube may import core', imports('../core/address.ts'), undefined),
  at('src/kube/a.ts', 'kube may import its client', imports('@kubernetes/client-node'), undefined),
  at('src/kube/a.ts', 'kube may not import kernel', imports('../kernel/ports.ts'), 'no-restricted-imports'),
  at('src/cri/a.ts', 'cri may import node: modules', imports('node:http2'), undefined),
  at('src/cri/a.ts', 'cri may not import kube', imports('../kube/list.ts'), 'no-restricted-imports'),
  at('src/cri/a.ts', 'cri may not import another package', imports('pino'), 'no-restricted-imports'),
  at('src/kube/a.ts', 'kube may not import cri', imports('../cri/messages.ts'), 'no-restricted-imports'),
  at('src/kube/a.ts', 'kube may not import app', imports('../app/log.ts'), 'no-restricted-imports'),
  at('src/app/a.ts', 'app may import core, kernel and kube', imports('../kernel/ports.ts'), undefined),
  at('src/app/a.ts', 'app may not import cli', imports('../cli/run.ts'), 'no-restricted-imports'),
  at('src/app/a.ts', 'app may not read the process', returns('process.pid'), 'no-restricted-globals'),
  at('src/app/a.ts', 'app may not import the process either', imports('node:process'), 'no-restricted-imports'),
  at('src/cli/a.ts', 'cli may import app', imports('../app/log.ts'), undefined),
  at('src/cli/a.ts', 'cli may not import kernel', imports('../kernel/ports.ts'), 'no-restricted-imports'),
  at('src/cli/a.ts', 'cli may not read the process', returns('process.argv'), 'no-restricted-globals'),
  at('src/main.ts', 'main may read the process', returns('process.argv'), undefined),
  at(
    'src/app/a.ts',
    'the product may not import its tests',
    imports('../../test/lab/world.ts'),
    'no-restricted-imports',
  ),
  at('native/a.ts', 'native may not import the product', imports('../src/core/address.ts'), 'no-restricted-imports'),
  // size, names, types
  at('src/app/a.ts', 'no default export', 'export default 1;\n', 'no-default-export'),
  at('src/app/CamelCase.ts', 'file names are kebab-case', 'export const y = 1;\n', 'filename-case'),
  at('src/app/a.ts', 'no file beyond 300 lines', 'export {};\n'.repeat(301), 'max-lines'),
  at(
    'src/app/a.ts',
    'no function beyond 60 lines',
    `export function f() {\n${'  g();\n'.repeat(60)}}\nfunction g() {}\n`,
    'max-lines-per-function',
  ),
  at(
    'src/app/a.ts',
    'no fifth parameter',
    'export const f = (a: 1, b: 1, c: 1, d: 1, e: 1) => [a, b, c, d, e];\n',
    'max-params',
  ),
  at('src/app/a.ts', 'no any', 'export const f = (x: any): unknown => x;\n', 'no-explicit-any'),
  at(
    'src/app/a.ts',
    'no non-null assertion',
    'export const f = (x: { y?: number }) => x.y!;\n',
    'no-non-null-assertion',
  ),
  at(
    'src/app/a.ts',
    'no unchecked assertion',
    'export const f = (x: unknown) => x as string;\n',
    'no-unsafe-type-assertion',
  ),
  at(
    'src/app/a.ts',
    'no truthiness of numbers',
    'export const f = (x: number) => (x ? 1 : 2);\n',
    'strict-boolean-expressions',
  ),
  at(
    'src/app/a.ts',
    'no forgotten promise',
    'export function f() {\n  Promise.resolve(1);\n}\n',
    'no-floating-promises',
  ),
  at(
    'src/app/a.ts',
    'no promise as a condition',
    'export const f = (p: Promise<boolean>) => [1].filter(() => p);\n',
    'no-misused-promises',
  ),
  at(
    'src/app/a.ts',
    'no forgotten case',
    "export function f(x: 'a' | 'b') {\n  switch (x) {\n    case 'a':\n      g();\n  }\n}\nfunction g() {}\n",
    'switch-exhaustiveness-check',
  ),
];

function at(file: string, title: string, source: string, rule: string | undefined): Case {
  return { file, title, source, rule };
}

function core(title: string, source: string, rule: string | undefined): Case {
  return at('src/core/a.ts', title, source, rule);
}

interface Diagnostic {
  readonly filename: string;
  readonly code: string;
}

const repository = resolve(import.meta.dirname, '../..');
let project = '';
let diagnostics: readonly Diagnostic[] = [];

/** All cases as one project under the paths that the rules are made for, so that the linter runs once. */
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'sluice-lint-'));
  await cp(join(repository, '.oxlintrc.json'), join(project, '.oxlintrc.json'));
  await cp(join(repository, 'tsconfig.json'), join(project, 'tsconfig.json'));
  await symlink(join(repository, 'node_modules'), join(project, 'node_modules'));
  for (const [index, each] of cases.entries()) {
    await writeSource(pathOf(each, index), each.source);
  }
  await writeSource('src/core/cycle-a.ts', `import { b } from './cycle-b.ts';\nexport const a = () => b;\n`);
  await writeSource('src/core/cycle-b.ts', `import { a } from './cycle-a.ts';\nexport const b = () => a;\n`);
  diagnostics = await lint();
}, 60_000);

afterAll(() => rm(project, { recursive: true, force: true }));

/** `a.ts` stands for any name; other names matter to the rule. */
function pathOf(each: Case, index: number): string {
  return each.file.replace(/\ba\.ts$/, `a-${index}.ts`);
}

async function writeSource(path: string, source: string): Promise<void> {
  await mkdir(dirname(join(project, path)), { recursive: true });
  await writeFile(join(project, path), source);
}

async function lint(): Promise<readonly Diagnostic[]> {
  const oxlint = join(repository, 'node_modules/.bin/oxlint');
  const { stdout } = await execa(oxlint, ['--type-aware', '-f', 'json'], { cwd: project, reject: false });
  const report = JSON.parse(stdout) as { readonly diagnostics: readonly Diagnostic[] };
  return report.diagnostics;
}

function found(path: string): readonly string[] {
  return diagnostics.filter(({ filename }) => filename === path).map(({ code }) => code);
}

describe('lint', () => {
  for (const [index, each] of cases.entries()) {
    it(each.title, () => {
      const codes = found(pathOf(each, index));
      const fires = codes.some((code) => code.includes(`(${each.rule ?? 'no-restricted-'}`));
      expect({ fires, codes }).toEqual({ fires: each.rule !== undefined, codes });
    });
  }

  it('no import cycle', () => {
    expect(found('src/core/cycle-a.ts')).toContainEqual(expect.stringContaining('(no-cycle)'));
  });
});
