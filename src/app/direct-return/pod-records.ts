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

/** Nothing is made before the first record is saved. The folder is read once: nobody else writes to it. */
export function openPodRecords(folder: string): PodRecords {
  let loaded: Loaded | undefined;
  const load = (): Loaded => (loaded ??= readRecords(folder));
  const pathOf = (address: string): string => join(folder, `${address}${extension}`);
  return {
    load: () => {
      const { records, illegible } = load();
      return { records: [...records.values()], illegible };
    },
    save: (record) => {
      // A process that dies loses nothing that it has written, and a node that dies takes its pods along: no fsync.
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const path = pathOf(record.tunnel.address);
      writeFileSync(`${path}.new`, formatRecord(record), { mode: 0o600 });
      renameSync(`${path}.new`, path);
      load().records.set(record.tunnel.address, record);
    },
    remove: (address) => {
      rmSync(pathOf(address), { force: true });
      loaded?.records.delete(address);
    },
  };
}

interface Loaded {
  /** By address. */
  readonly records: Map<string, PodRecord>;
  readonly illegible: readonly string[];
}

function readRecords(folder: string): Loaded {
  const names = listFolder(folder).filter((name) => name.endsWith(extension));
  const read = names.map((name) => ({ name, record: parseRecord(readFileSync(join(folder, name), 'utf8')) }));
  const records = read.map(({ record }) => record).filter((record) => record !== undefined);
  return {
    records: new Map(records.map((record) => [record.tunnel.address, record])),
    illegible: read.filter(({ record }) => record === undefined).map(({ name }) => join(folder, name)),
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
