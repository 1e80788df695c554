import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Runs `action` while this process alone holds `file`. The lock is the kernel's, held by a `flock` process that ends
 * with our end of a pipe: it is free again however this process dies.
 */
export async function withLock<Result>(file: string, action: () => Promise<Result>): Promise<Result> {
  await mkdir(dirname(file), { recursive: true });
  const holder = await hold(file, []);
  if (holder === undefined) throw new Error(`flock could not lock ${file}`);
  try {
    return await action();
  } finally {
    release(holder);
  }
}

/** Takes the first of `files` that is free and returns its index and how to give it back; `undefined` when none is. */
export async function takeFirstFree(
  files: readonly string[],
): Promise<{ readonly index: number; readonly release: () => void } | undefined> {
  for (const [index, file] of files.entries()) {
    await mkdir(dirname(file), { recursive: true });
    const holder = await hold(file, ['--nonblock']);
    if (holder !== undefined) return { index, release: () => release(holder) };
  }
  return undefined;
}

async function hold(file: string, options: readonly string[]): Promise<ChildProcess | undefined> {
  const holder = spawn('flock', [...options, '--exclusive', file, 'sh', '-c', 'echo held; cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    // A Ctrl-C on the terminal must not free the lock while what it protects is still being tidied up.
    detached: true,
  });
  const failed = once(holder, 'close').then(() => 'failed' as const);
  const held = once(holder.stdout, 'data').then(() => 'held' as const);
  if ((await Promise.race([failed, held])) === 'failed') return undefined;
  holder.unref();
  return holder;
}

function release(holder: ChildProcess): void {
  holder.stdin?.end();
}
