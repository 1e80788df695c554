/**
 * The memory of the test machine is the host's, which gives each page when it is first written to. Whoever programs the
 * kernel first would pay for that, and whoever is compared with it would not.
 */

import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** Writes to nearly all memory that is free, by files of a tmpfs, and gives it back. Half a second for each gigabyte. */
export async function touchMemory(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'memory-'));
  const bytes = Math.floor(freemem() * share);
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'memory', folder]);
  try {
    fill(join(folder, 'file'), bytes);
  } finally {
    await execa('umount', [folder]);
    await rm(folder, { recursive: true });
  }
}

/** The kernel and this process need some meanwhile. */
const share = 0.85;

function fill(file: string, bytes: number): void {
  const chunk = Buffer.alloc(2 ** 20, 1);
  const descriptor = openSync(file, 'w');
  for (let written = 0; written + chunk.length <= bytes; written += chunk.length) {
    writeSync(descriptor, chunk);
  }
  closeSync(descriptor);
}
