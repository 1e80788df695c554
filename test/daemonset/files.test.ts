import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { daemonsetFiles } from './files.ts';

const folder = resolve(import.meta.dirname, '../../daemonset');
const files = await daemonsetFiles();

describe('the folder daemonset', () => {
  it.each([...files])('has %s as the program makes it', async (path, text) => {
    await expect(text).toMatchFileSnapshot(resolve(folder, path));
  });

  it('has no other files', async () => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => resolve(parentPath, name));
    expect(new Set(paths)).toEqual(new Set([...files.keys()].map((path) => resolve(folder, path))));
  });
});
