import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheRoot, hashOf } from '../prerequisites/cache.ts';
import { withLock } from '../prerequisites/lock.ts';
import { runLogged } from '../prerequisites/run-logged.ts';
import { UnmetPrerequisiteError } from '../prerequisites/unmet.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const addon = join(root, 'build/Release/sluice.node');
/** Holds the hash of what the addon was built from. */
const stamp = join(root, 'build/sluice.hash');

/** Builds the native addon with node-gyp when a source, the recipe or Node changed. Returns one line about it. */
export async function buildAddon(): Promise<string> {
  return withLock(join(cacheRoot(), `build-${hashOf([root])}.lock`), async () => {
    const wanted = await hashOfInputs();
    const built = await readFile(stamp, 'utf8').catch(() => '');
    if (existsSync(addon) && built === wanted) return 'build/Release/sluice.node is up to date';
    const started = performance.now();
    await runNodeGyp();
    await writeFile(stamp, wanted);
    return `build/Release/sluice.node is built, ${((performance.now() - started) / 1000).toFixed(1)} s`;
  });
}

async function runNodeGyp(): Promise<void> {
  const nodeGyp = join(root, 'node_modules/node-gyp/bin/node-gyp.js');
  await runLogged([process.execPath, nodeGyp, 'rebuild', `--nodedir=${headersFolder()}`], {
    cwd: root,
    log: '/dev/null',
    report: () => {},
  });
}

/** Node's headers stand beside its binary: nothing is downloaded. */
function headersFolder(): string {
  const prefix = dirname(dirname(process.execPath));
  if (existsSync(join(prefix, 'include/node/node_api.h'))) return prefix;
  throw new UnmetPrerequisiteError({
    expected: `the headers of Node in ${join(prefix, 'include/node')}`,
    found: 'no node_api.h there',
    next: 'Install Node from an archive or a package that brings its headers, and run again.',
  });
}

async function hashOfInputs(): Promise<string> {
  const sources = await readdir(join(root, 'native/src'));
  const files = ['binding.gyp', ...sources.toSorted().map((name) => `native/src/${name}`)];
  const contents = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')));
  return hashOf([process.version, process.arch, ...files, ...contents]);
}
