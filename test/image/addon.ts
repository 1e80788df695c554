import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Artefact, cached } from '../prerequisites/cache.ts';
import { runLogged } from '../prerequisites/run-logged.ts';
import type { Architecture } from './architecture.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The path of the addon for a machine, built by the compiler for it against the headers in the folder `node`. */
export async function crossAddon(
  architecture: Architecture,
  node: string,
  report: (line: string) => void,
): Promise<string> {
  const sources = (await readdir(join(root, 'native/src'))).toSorted().map((name) => join(root, 'native/src', name));
  const contents = await Promise.all([join(root, 'binding.gyp'), ...sources].map((source) => readFile(source, 'utf8')));
  const artefact: Artefact = {
    name: `addon-${architecture.name}`,
    inputs: [node, ...contents],
    make: (folder, scratch) => compile({ architecture, node, folder, scratch, report }),
  };
  return join(await cached(artefact), 'sluice.node');
}

interface Compilation {
  readonly architecture: Architecture;
  readonly node: string;
  readonly folder: string;
  readonly scratch: string;
  readonly report: (line: string) => void;
}

/** Fills `folder` with `sluice.node`. */
export async function compile({ architecture, node, folder, scratch, report }: Compilation): Promise<void> {
  const { triplet, node: name } = architecture;
  for (const part of ['binding.gyp', 'native']) {
    await cp(join(root, part), join(scratch, part), { recursive: true });
  }
  const tools = { CC: 'gcc', CXX: 'g++', AR: 'ar', LINK: 'g++' };
  const env = Object.fromEntries(Object.entries(tools).map(([key, tool]) => [key, `${triplet}-${tool}`]));
  const options = { cwd: scratch, log: join(scratch, 'build.log'), report };
  const nodeGyp = join(root, 'node_modules/node-gyp/bin/node-gyp.js');
  const build = [process.execPath, nodeGyp, 'rebuild', `--arch=${name}`, `--nodedir=${node}`];
  await runLogged(build, { ...options, env });
  const built = join(scratch, 'build/Release/sluice.node');
  await runLogged([`${triplet}-strip`, '-o', join(folder, 'sluice.node'), built], options);
}
