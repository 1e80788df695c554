import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { collectProfiles } from './collect-profiles.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-profiles-'));
  await mkdir(join(folder, 'results'));
});

afterEach(() => rm(folder, { recursive: true }));

it('says of a process that Node.js profiled how long it was in which folder of the sources', async () => {
  await build({
    stdin: {
      contents: `
        import { parseAddress } from './src/core/address.ts';
        for (let number = 0; number < 500_000; number += 1) parseAddress('10.20.30.' + (number & 255));`,
      resolveDir: fileURLToPath(new URL('../../..', import.meta.url)),
    },
    outfile: join(folder, 'busy.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    sourcemap: 'external',
  });
  const results = join(folder, 'results');
  const options = ['--cpu-prof', `--cpu-prof-dir=${results}`, '--cpu-prof-name=busy-100x10-1.cpuprofile'];
  await execa(process.execPath, [...options, join(folder, 'busy.mjs')]);
  await writeFile(join(results, 'killed-100x10-1.cpuprofile'), '');
  await writeFile(join(results, 'result.json'), '{}');

  const destination = join(folder, 'kept');
  const profiles = await collectProfiles({ programs: folder, results, destination });

  expect(profiles.map(({ kind, processes }) => [kind, processes])).toEqual([['busy-100x10', 1]]);
  expect(profiles[0]?.groupsMs['core/address']).toBeGreaterThan(10);
  expect((await readdir(destination)).toSorted()).toEqual(['busy-100x10-1.cpuprofile', 'killed-100x10-1.cpuprofile']);
});
