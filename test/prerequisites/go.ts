import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { type Artefact, cached, isCached } from './cache.ts';
import { runLogged } from './run-logged.ts';
import type { Step } from './steps.ts';
import { UnmetPrerequisiteError } from './unmet.ts';

/** A Go module at one version. */
export interface GoModule {
  readonly path: string;
  readonly version: string;
}

/** The `go` command: from PATH, else where its own distribution unpacks to. */
export function goCommand(): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/go/bin'];
  const found = folders.map((folder) => join(folder, 'go')).find((each) => existsSync(each));
  if (found !== undefined) return found;
  throw new UnmetPrerequisiteError({
    expected: 'Go 1.26 as "go" in PATH or /usr/local/go/bin',
    found: 'none',
    next: 'Install Go 1.26, or let KUBEBUILDER_ASSETS name a folder with etcd, kube-apiserver and kubectl.',
  });
}

/** What a Go command runs with: no toolchain downloads, modules as the generated module asks for them. */
export const goEnvironment = { GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod', GOWORK: 'off', CGO_ENABLED: '0' } as const;

/** Writes a module into `folder` whose only purpose is to build packages of another, with its replacements made real. */
export async function writeWrapperModule(
  folder: string,
  module: GoModule,
  replacements: readonly string[],
): Promise<void> {
  const lines = [
    'module sluice.dev/lab',
    'go 1.26.0',
    `require ${module.path} ${module.version}`,
    ...replacements.map((each) => `replace ${each}`),
    '',
  ];
  await writeFile(join(folder, 'go.mod'), lines.join('\n'));
  await writeFile(join(folder, 'go.sum'), '');
}

/** The modules that `module` replaces with folders of its own repository; published apart, under other versions. */
export async function stagingModules(module: GoModule, cwd: string): Promise<readonly string[]> {
  const text = await readFile((await download(module, cwd)).GoMod, 'utf8');
  return [...text.matchAll(/^\s*(?:replace\s+)?(\S+) => \.\/staging\//gm)].flatMap(([, path]) => path ?? []);
}

/** Copies the module into `folder`, where it may be changed: what is installed from a module cannot replace others. */
export async function copyModule(module: GoModule, folder: string): Promise<void> {
  await cp((await download(module, folder)).Dir, folder, { recursive: true });
  await execa('chmod', ['-R', 'u+w', folder]);
}

async function download(module: GoModule, cwd: string): Promise<{ readonly GoMod: string; readonly Dir: string }> {
  const { stdout } = await execa(goCommand(), ['mod', 'download', '-json', `${module.path}@${module.version}`], {
    cwd,
    env: { ...goEnvironment, GOFLAGS: '' },
  });
  return JSON.parse(stdout) as { readonly GoMod: string; readonly Dir: string };
}

export interface GoBuild {
  readonly package: string;
  readonly output: string;
  /** The folder of the module. */
  readonly scratch: string;
  /** Set by the linker. */
  readonly variables: Readonly<Record<string, string>>;
  readonly tags?: readonly string[];
}

/** Builds a program. */
export async function goBuild(build: GoBuild, report: (line: string) => void): Promise<void> {
  const settings = Object.entries(build.variables).map(([name, value]) => `-X ${name}=${value}`);
  const flags = ['-v', '-trimpath', `-p=${availableParallelism()}`, '-ldflags', ['-s', '-w', ...settings].join(' ')];
  if (build.tags !== undefined) flags.push('-tags', build.tags.join(','));
  await runLogged([goCommand(), 'build', ...flags, '-o', build.output, build.package], {
    cwd: build.scratch,
    log: join(build.scratch, 'build.log'),
    report,
    env: goEnvironment,
  });
}

/** The step that builds an artefact. */
export function goStep(title: string, artefact: (report: (line: string) => void) => Artefact): Step {
  return {
    title,
    isReady: async () => isCached(artefact(() => {})),
    run: async (report) => `built in ${await cached(artefact(report))}`,
  };
}
