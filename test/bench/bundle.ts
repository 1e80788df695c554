import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { execa } from 'execa';
import { buildAddon } from '../build/addon.ts';
import { bundle } from '../build/bundle.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const compilerFlags = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror'];
const judgeSources = ['main.c', 'ipvs-ipv4.c', 'ipvs-ipv6.c', 'nftables.c', 'routes.c', 'netlink.c'];
const inside = [
  'main',
  'start',
  'watch-agent',
  'change',
  'memory',
  'pauses',
  'pause-probe',
  'json-alone',
  'alone',
  'watch-alone',
  'traffic',
  'udp-flows',
];

/**
 * Bundles the programs of the benchmark, and the agent itself as `sluice.mjs`, into `folder` with the addon
 * and the baselines in C beside them: what runs is what is shipped, not sources through a loader. Returns the path of
 * the program to start. With `sourceMaps` a map of each lies beside it, which Node.js is not told of.
 */
export async function bundlePrograms(folder: string, sourceMaps: boolean): Promise<string> {
  const programs = inside.map((name) => ({ in: join(root, 'test/bench/inside', `${name}.ts`), out: name }));
  await build({
    absWorkingDir: root,
    entryPoints: programs,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // CommonJS dependencies call `require` for node: modules.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    sourcemap: sourceMaps ? 'external' : false,
    sourcesContent: false,
    logLevel: 'warning',
  });
  const { code, map } = await bundle();
  await writeFile(join(folder, 'sluice.mjs'), code);
  if (sourceMaps) {
    await writeFile(join(folder, 'sluice.mjs.map'), map);
  }
  await buildAddon();
  await copyFile(join(root, 'build/Release/sluice.node'), join(folder, 'sluice.node'));
  for (const program of ['read-table', 'write-table']) {
    await compile(join(folder, program), 'test/bench/baseline', [`${program}.c`]);
  }
  await compileJudge(join(folder, 'judge'));
  return join(folder, 'main.mjs');
}

/** Compiles the judge of the peers. */
export function compileJudge(output: string): Promise<void> {
  return compile(output, 'test/bench/judge', judgeSources);
}

async function compile(output: string, folder: string, sources: readonly string[]): Promise<void> {
  await execa('gcc', [...compilerFlags, '-o', output, ...sources.map((source) => join(root, folder, source))]);
}
