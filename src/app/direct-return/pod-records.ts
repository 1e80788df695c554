/** The records of prepared pods, a file for each tunnel. */

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatRecord, type PodRecord, parseRecord } from './pod-record.ts';

export interface PodRecords {
  /** `illegible` names what is there and cannot be read. Throws when the folder cannot be read. */
  load(): { readonly records: readonly PodRecord[]; readonly illegible: readonly string[] };
  /** Whole or not at all: a reader sees the old record or the new one. Throws when it cannot be written. */
  save(record: PodRecord): void;
  /** Nothing happens when there is none. */
  remove(address: string): void;
}

/** Nothing is made before the first record is saved. */
export function openPodRecords(folder: string): PodRecords {
  const pathOf = (address: string): string => join(folder, `${address}${extension}`);
  return {
    load: () => {
      const names = listFolder(folder).filter((name) => name.endsWith(extension));
      const read = names.map((name) => ({ name, record: parseRecord(readFileSync(join(folder, name), 'utf8')) }));
      return {
        records: read.map(({ record }) => record).filter((record) => record !== undefined),
        illegible: read.filter(({ record }) => record === undefined).map(({ name }) => join(folder, name)),
      };
    },
    save: (record) => {
      // A process that dies loses nothing that it has written, and a node that dies takes its pods along: no fsync.
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const path = pathOf(record.tunnel.address);
      writeFileSync(`${path}.new`, formatRecord(record), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    },
    remove: (address) => rmSync(pathOf(address), { force: true }),
  };
}

const extension = '.json';

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return [];
    }
    throw error;
  }
}
