import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bundlePrograms } from './bundle.ts';
import { openProgram } from './profiles/open-program.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-bundles-'));
});

afterEach(() => rm(folder, { recursive: true }));

// The addon may have to be built first.
it('leads from every program to its sources, from the agent too, when maps are asked for', {
  timeout: 300_000,
}, async () => {
  await bundlePrograms(folder, true);
  const program = openProgram(folder, root);
  for (const name of ['sluice', 'start', 'watch-agent']) {
    const lines = (await readFile(join(folder, `${name}.mjs`), 'utf8')).split('\n');
    const line = lines.findIndex((text) => text.startsWith('function compileService('));
    expect(program.sourceAt(`file:///programs/${name}.mjs`, line, 'function compileService'.length)).toBe(
      'src/core/compile.ts',
    );
  }
});
