import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
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
  const { stdout } = await execa(goCommand(), ['mod', 'download', '-json', `${module.path}@${module.version}`], {
    cwd,
    env: { ...goEnvironment, GOFLAGS: '' },
  });
  const { GoMod: file } = JSON.parse(stdout) as { readonly GoMod: string };
  const text = await readFile(file, 'utf8');
  return [...text.matchAll(/^\s*(?:replace\s+)?(\S+) => \.\/staging\//gm)].flatMap(([, path]) => path ?? []);
}
