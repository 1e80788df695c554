import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchFile } from '../../../../src/app/config/file/watch-file.ts';

let folder = '';
let path = '';
let stop = (): void => {};
const onChange = vi.fn<() => void>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-config-'));
  path = join(folder, 'config.conf');
  onChange.mockClear();
});
afterEach(() => {
  stop();
  rmSync(folder, { recursive: true });
});

function watchText(text: string, lookMs?: number): void {
  stop = watchFile({ path, text, onChange, ...(lookMs === undefined ? {} : { lookMs }) });
}

async function expectOneChange(): Promise<void> {
  await vi.waitFor(() => expect(onChange).toHaveBeenCalledOnce(), { timeout: 5_000 });
}

/** Longer than a change takes to be noticed. */
async function expectNoChange(): Promise<void> {
  await sleep(600);
  expect(onChange).not.toHaveBeenCalled();
}

it('tells of a file that is written anew, once', async () => {
  writeFileSync(path, 'a');
  watchText('a');
  writeFileSync(path, 'b');
  await expectOneChange();
  writeFileSync(path, 'c');
  await sleep(400);
  expect(onChange).toHaveBeenCalledOnce();
});

it('tells of a file that is put in its place', async () => {
  writeFileSync(path, 'a');
  watchText('a');
  writeFileSync(`${path}.new`, 'b');
  renameSync(`${path}.new`, path);
  await expectOneChange();
});

it('tells of a ConfigMap volume whose link is turned', async () => {
  for (const [version, text] of [
    ['..1', 'a'],
    ['..2', 'b'],
  ] as const) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'config.conf'), text);
  }
  symlinkSync('..1', join(folder, '..data'));
  symlinkSync('..data/config.conf', path);
  watchText('a');
  symlinkSync('..2', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  await expectOneChange();
});

it('says nothing of the same content, nor of a file that is gone', async () => {
  writeFileSync(path, 'a');
  watchText('a');
  writeFileSync(path, 'a');
  writeFileSync(`${path}.new`, 'a');
  renameSync(`${path}.new`, path);
  await expectNoChange();
  rmSync(path);
  await expectNoChange();
});

it('tells of what changed before the watch', async () => {
  writeFileSync(path, 'b');
  watchText('a');
  await expectOneChange();
});

it('looks by itself where nobody notifies', async () => {
  const other = mkdtempSync(join(tmpdir(), 'sluice-config-'));
  writeFileSync(join(other, 'real'), 'a');
  // The folder that is watched sees nothing of a change behind a link.
  symlinkSync(join(other, 'real'), path);
  watchText('a', 50);
  writeFileSync(join(other, 'real'), 'b');
  await expectOneChange();
  rmSync(other, { recursive: true });
});
