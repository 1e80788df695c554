import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Artefact, cached, isCached } from './cache.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cache-'));
  vi.stubEnv('SLUICE_CACHE', folder);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

test('two runs at once make an artefact once', async () => {
  const { artefact, made } = counted(['v1']);
  const folders = await Promise.all([cached(artefact), cached(artefact), cached(artefact)]);
  expect(made()).toBe(1);
  expect(new Set(folders).size).toBe(1);
  expect(await readFile(join(folders[0] ?? '', 'content'), 'utf8')).toBe('made');
});

test('other inputs make another artefact', async () => {
  const one = await cached(counted(['v1']).artefact);
  const other = await cached(counted(['v2']).artefact);
  expect(other).not.toBe(one);
});

test('a failure leaves nothing behind and the next run tries again', async () => {
  const failing: Artefact = { ...counted(['v1']).artefact, make: () => Promise.reject(new Error('no compiler')) };
  await expect(cached(failing)).rejects.toThrow('no compiler');
  expect(isCached(failing)).toBe(false);
  expect((await readdir(join(folder, 'sluice'))).filter((name) => !name.endsWith('.lock'))).toEqual([]);
  await cached(counted(['v1']).artefact);
  expect(isCached(failing)).toBe(true);
});

function counted(inputs: readonly string[]): { readonly artefact: Artefact; readonly made: () => number } {
  let count = 0;
  const make = async (result: string) => {
    count++;
    await writeFile(join(result, 'content'), 'made');
  };
  return { artefact: { name: 'thing', inputs, make }, made: () => count };
}
