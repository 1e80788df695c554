/** A folder of manifests as a source of facts: no API server, the same behaviour. */

import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';

import { objectKinds } from '../../core/model/facts.ts';
import { type Cancel, type Clock, systemClock } from '../clock.ts';
import { messageOf } from '../message-of.ts';
import { createIntern } from '../project/intern.ts';
import type { ProjectionSettings } from '../project/projection.ts';
import type { FactSink, FactSource, SourceFailure } from '../source.ts';
import { createFolder, type Folder } from './folder.ts';
import { type ScannedFile, type ScanResult, scan } from './scan.ts';

export interface ManifestSourceOptions {
  readonly directory: string;
  readonly ownProxyNames?: readonly string[];
  readonly clock?: Clock;
}

/** Reads `*.yaml`, `*.yml` and `*.json` in the folder and one level below; a change is picked up within milliseconds. */
export function manifestSource(options: ManifestSourceOptions): FactSource {
  const { directory, ownProxyNames = [], clock = systemClock } = options;
  const work: Work = {
    directory,
    settings: { ownProxyNames, intern: createIntern() },
    clock,
    folder: createFolder(),
    files: new Map(),
    watchers: new Map(),
    timer: undefined,
    emptySince: undefined,
    isStopped: false,
    scanning: Promise.resolve(),
    lastScanAt: undefined,
    lastError: undefined,
  };
  return {
    start: (sink) => {
      work.scanning = look(work, sink);
    },
    stop: async () => {
      work.isStopped = true;
      work.timer?.cancel();
      closeWatchers(work, new Set());
      await work.scanning;
    },
    states: () =>
      objectKinds.map((kind) => ({
        kind,
        phase: phaseOf(work),
        hasSynced: work.lastScanAt !== undefined,
        lastEventAgeMs: work.lastScanAt === undefined ? undefined : clock.now() - work.lastScanAt,
        lastError: work.lastError,
      })),
  };
}

interface Work {
  readonly directory: string;
  readonly settings: ProjectionSettings;
  readonly clock: Clock;
  readonly folder: Folder;
  files: ReadonlyMap<string, ScannedFile>;
  /** By folder; '' is the directory itself. */
  readonly watchers: Map<string, FSWatcher>;
  timer: { readonly due: number; readonly cancel: Cancel } | undefined;
  /** When a file with objects was first found empty. */
  emptySince: number | undefined;
  isStopped: boolean;
  scanning: Promise<void>;
  lastScanAt: number | undefined;
  lastError: SourceFailure | undefined;
}

/** A write is several system calls: wait until they are over. */
const quietMs = 15;
/** Notices can be lost, and some file systems send none. */
const rescanMs = 5_000;
/** A folder that is not there yet is mounted or made soon, and nobody tells. */
const missingMs = 1_000;
/** Who writes a file anew cuts it short first; who means an empty file leaves it so. */
const emptyMs = 500;

function phaseOf(work: Work): 'initial' | 'synced' | 'backoff' {
  if (work.lastError !== undefined) {
    return 'backoff';
  }
  return work.lastScanAt === undefined ? 'initial' : 'synced';
}

async function look(work: Work, sink: FactSink): Promise<void> {
  const { clock, directory, settings } = work;
  const again = (delayMs: number): void => schedule(work, sink, delayMs);
  try {
    watchFolder(work, '', again);
    const trustsEmptyFiles = work.emptySince !== undefined && clock.now() - work.emptySince >= emptyMs;
    const result = await scan({ directory, settings, known: work.files, trustsEmptyFiles });
    if (work.isStopped) {
      return;
    }
    result.folders.forEach((folder) => watchFolder(work, folder, again));
    closeWatchers(work, new Set(result.folders));
    again(result.isUnsettled ? quietMs : rescanMs);
    takeIn(work, result, sink);
  } catch (error) {
    work.lastError = { code: 'manifest-unreadable', message: messageOf(error) };
    closeWatchers(work, new Set());
    again(missingMs);
  }
}

function takeIn(work: Work, result: ScanResult, sink: FactSink): void {
  const isFirst = work.lastScanAt === undefined;
  work.lastError = undefined;
  work.files = result.files;
  work.emptySince = result.isUnsettled ? (work.emptySince ?? work.clock.now()) : undefined;
  if (isFirst && result.isUnsettled) {
    return; // A list must be complete: somebody is just writing a file of it.
  }
  work.lastScanAt = work.clock.now();
  if (isFirst || result.hasChanged) {
    const files = [...result.files.values()].map(({ file }) => file);
    work.folder.publish(files, sink);
  }
}

/** One look at a time, and the earliest wish counts. */
function schedule(work: Work, sink: FactSink, delayMs: number): void {
  const due = work.clock.now() + delayMs;
  if (work.isStopped || (work.timer !== undefined && work.timer.due <= due)) {
    return;
  }
  work.timer?.cancel();
  const cancel = work.clock.after(delayMs, () => {
    work.timer = undefined;
    work.scanning = work.scanning.then(() => (work.isStopped ? undefined : look(work, sink)));
  });
  work.timer = { due, cancel };
}

function watchFolder(work: Work, folder: string, again: (delayMs: number) => void): void {
  if (work.watchers.has(folder) || work.isStopped) {
    return;
  }
  try {
    const watcher = watch(join(work.directory, folder), () => again(quietMs));
    watcher.on('error', () => closeWatcher(work, folder));
    work.watchers.set(folder, watcher);
  } catch {
    // No notices (the folder is gone, or inotify is out of watches): the rescan finds what changed.
  }
}

function closeWatchers(work: Work, except: ReadonlySet<string>): void {
  [...work.watchers.keys()].filter((folder) => !except.has(folder)).forEach((folder) => closeWatcher(work, folder));
}

function closeWatcher(work: Work, folder: string): void {
  work.watchers.get(folder)?.close();
  work.watchers.delete(folder);
}
