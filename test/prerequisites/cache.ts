import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { withLock } from './lock.ts';

/** Something slow to make, kept outside the checkout. */
export interface Artefact {
  /** Begins the name of the folder in the cache. */
  readonly name: string;
  /** Everything the content depends on: configuration text, versions, sources. */
  readonly inputs: readonly string[];
  /** Fills an empty folder. `scratch` is another empty folder, removed afterwards. */
  readonly make: (folder: string, scratch: string) => Promise<void>;
}

/** The folder for everything that is slow to make: `$SLUICE_CACHE`, else `$XDG_CACHE_HOME`, else `~/.cache`, and `sluice`. */
export function cacheRoot(): string {
  const { SLUICE_CACHE: own, XDG_CACHE_HOME: user } = process.env;
  return join(own ?? user ?? join(homedir(), '.cache'), 'sluice');
}

/** Where the artefact lies, or will lie. The name holds the hash of its inputs, so it never needs to be refreshed. */
export function artefactFolder(artefact: Pick<Artefact, 'name' | 'inputs'>): string {
  return join(cacheRoot(), `${artefact.name}-${hashOf(artefact.inputs)}`);
}

/** Whether the artefact is there. */
export function isCached(artefact: Pick<Artefact, 'name' | 'inputs'>): boolean {
  return existsSync(artefactFolder(artefact));
}

/** The artefact's folder, made now if it is missing. Two runs at once make it once; an aborted run leaves nothing behind. */
export async function cached(artefact: Artefact): Promise<string> {
  const folder = artefactFolder(artefact);
  if (existsSync(folder)) return folder;
  await mkdir(cacheRoot(), { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return;
    const scratch = await mkdtemp(join(cacheRoot(), `.${artefact.name}-`));
    try {
      const unfinished = join(scratch, 'result');
      const work = join(scratch, 'work');
      await mkdir(unfinished);
      await mkdir(work);
      await artefact.make(unfinished, work);
      await rename(unfinished, folder);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
  return folder;
}

/** A short name for the content of `parts`. */
export function hashOf(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest('hex').slice(0, 16);
}
