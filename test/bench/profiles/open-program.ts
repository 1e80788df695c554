import { readFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import { callText } from './call-text.ts';
import type { Program } from './group-times.ts';

interface Bundle {
  readonly map: TraceMap;
  readonly lines: readonly string[];
}

/** The bundles in `folder` with the source maps beside them. `root` is that of the checkout. */
export function openProgram(folder: string, root: string): Program {
  const opened = new Map<string, Bundle>();
  const bundleAt = (url: string): Bundle | undefined => {
    if (!url.startsWith('file:')) {
      return undefined;
    }
    const name = basename(url);
    const bundle = opened.get(name) ?? readBundle(join(folder, name));
    opened.set(name, bundle);
    return bundle;
  };
  return {
    sourceAt: (url, line, column) => {
      const bundle = bundleAt(url);
      const source = bundle === undefined ? null : originalPositionFor(bundle.map, { line: line + 1, column }).source;
      return source === null ? undefined : relative(root, resolve(folder, source));
    },
    callAt: (url, line) => callText(bundleAt(url)?.lines ?? [], line),
  };
}

function readBundle(file: string): Bundle {
  return { map: new TraceMap(readFileSync(`${file}.map`, 'utf8')), lines: readFileSync(file, 'utf8').split('\n') };
}
