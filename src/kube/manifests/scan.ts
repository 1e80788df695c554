/** Finds the manifest files of a folder and reads those that changed. */

import { promises as fs } from 'node:fs';
import { join } from 'node:path';

import { messageOf } from '../message-of.ts';
import type { ProjectionSettings } from '../project/projection.ts';
import { type ManifestFile, readManifestFile, unreadableFile } from './manifest-file.ts';

export interface ScannedFile {
  /** Differs when the file does. */
  readonly fingerprint: string;
  readonly file: ManifestFile;
}

export interface ScanResult {
  readonly files: ReadonlyMap<string, ScannedFile>;
  /** '' for the folder itself, and those of its sub-folders that are looked into. */
  readonly folders: readonly string[];
  readonly hasChanged: boolean;
  /** A file was being written: look again soon. */
  readonly isUnsettled: boolean;
}

export interface ScanInput {
  readonly directory: string;
  readonly settings: ProjectionSettings;
  /** The last scan's. */
  readonly known: ReadonlyMap<string, ScannedFile>;
  /** True: a file that became empty really is. Until then somebody may have cut it short to write it anew. */
  readonly trustsEmptyFiles: boolean;
}

/** Looks at `*.yaml`, `*.yml`, `*.json` in the folder and one level below, none hidden. Rejects if it is unreadable. */
export async function scan(input: ScanInput): Promise<ScanResult> {
  const { names, folders } = await findFiles(input.directory);
  const files = new Map<string, ScannedFile>();
  let isUnsettled = false;
  for (const name of names) {
    const last = input.known.get(name);
    const read = await readOne(input, name, last);
    if (read === 'unsettled') {
      isUnsettled = true;
    }
    const scanned = read === 'unsettled' ? last : read;
    if (scanned !== undefined) {
      files.set(name, scanned);
    }
  }
  const isSame = files.size === input.known.size && [...files].every(([name, each]) => input.known.get(name) === each);
  return { files, folders, hasChanged: !isSame, isUnsettled };
}

const manifestName = /\.(ya?ml|json)$/;

async function findFiles(directory: string): Promise<{ names: readonly string[]; folders: readonly string[] }> {
  const names: string[] = [];
  const folders = [''];
  const entries = await fs.readdir(directory, { withFileTypes: true });
  for (const entry of entries.filter(({ name }) => !name.startsWith('.'))) {
    if (entry.isDirectory()) {
      folders.push(entry.name);
      const inner = await fs.readdir(join(directory, entry.name)).catch((): string[] => []);
      names.push(...inner.filter(isManifestName).map((name) => join(entry.name, name)));
    } else if (isManifestName(entry.name)) {
      names.push(entry.name);
    }
  }
  return { names, folders };
}

function isManifestName(name: string): boolean {
  return manifestName.test(name) && !name.startsWith('.');
}

/** Undefined when the file is gone after all. */
async function readOne(
  input: ScanInput,
  name: string,
  last: ScannedFile | undefined,
): Promise<ScannedFile | 'unsettled' | undefined> {
  const path = join(input.directory, name);
  let fingerprint = '';
  try {
    fingerprint = await fingerprintOf(path);
    if (last?.fingerprint === fingerprint) {
      return last;
    }
    const text = await fs.readFile(path, 'utf8');
    const isCutShort = text === '' && (last?.file.entries.length ?? 0) > 0 && !input.trustsEmptyFiles;
    if (isCutShort || (await fingerprintOf(path)) !== fingerprint) {
      return 'unsettled';
    }
    return { fingerprint, file: readManifestFile(name, text, last?.file, input.settings) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    const message = messageOf(error);
    // Once told, a file that stays unreadable is no change.
    return last?.fingerprint === message
      ? last
      : { fingerprint: message, file: unreadableFile(name, message, last?.file) };
  }
}

async function fingerprintOf(path: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await fs.stat(path, { bigint: true });
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}
