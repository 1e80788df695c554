/** Notices that the content of a file is no longer what was read: by notification, and by looking now and then. */

import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface FileWatchInput {
  readonly path: string;
  /** The content as it was read. */
  readonly text: string;
  /** Called once, with another content. A file that is gone for now has none. */
  readonly onChange: () => void;
  /** Milliseconds between two looks, where the system notifies nobody. */
  readonly lookMs?: number;
}

const usualLookMs = 30_000;
/** A file is written in parts: its content counts when nothing happened for so long. */
const settleMs = 200;

/**
 * Watches the folder, because an editor puts another file in place of the old one, and a ConfigMap volume turns a
 * symbolic link (`..data`) to another folder. Only another content is a change. Returns the way to stop.
 */
export function watchFile({ path, text, onChange, lookMs = usualLookMs }: FileWatchInput): () => void {
  let isOver = false;
  const stop = (): void => {
    isOver = true;
    stopWatching();
    clearInterval(looking);
    clearTimeout(settling);
  };
  const look = async (): Promise<void> => {
    const now = await readFile(path, 'utf8').catch(() => text);
    if (!isOver && now !== text) {
      stop();
      onChange();
    }
  };
  let settling: NodeJS.Timeout | undefined;
  const stopWatching = watchFolder(dirname(path), () => {
    clearTimeout(settling);
    settling = setTimeout(() => void look(), settleMs);
  });
  const looking = setInterval(() => void look(), lookMs);
  // Between reading and watching it may have changed already.
  void look();
  return stop;
}

function watchFolder(folder: string, onEvent: () => void): () => void {
  try {
    const watcher = watch(folder, onEvent);
    // A folder that goes away, or a limit on watches: looking now and then remains.
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => {};
  }
}
