/** In a run with profiles, what makes Node.js leave one of a process, in the folder of the results. */

import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Size } from '../result.ts';

/** Set by `npm run bench -- --profile`; for the processes in the lab. */
const wanted = process.env['SLUICE_BENCH_PROFILES'] === 'wanted';

/** Whether profiles are taken: a process that is killed leaves none. */
export function isProfiling(): boolean {
  return wanted;
}

/** Options of Node.js for a process that does `what` with a cluster of that size; none in a run without profiles. */
export function profileOptions(what: string, size: Size): readonly string[] {
  if (!wanted) {
    return [];
  }
  const folder = process.env['SLUICE_LAB_RESULTS'] ?? '.';
  const name = freeName(folder, `${what}-${sizeName(size)}`);
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}`];
}

function sizeName({ services, endpoints, family }: Size): string {
  return `${services}x${endpoints}${family === 'IPv4' ? '' : `-${family}`}`;
}

/** Makes the file: several processes look for names, and Node.js writes over what is there. */
function freeName(folder: string, kind: string): string {
  for (let number = 1; ; number += 1) {
    const name = `${kind}-${number}.cpuprofile`;
    try {
      closeSync(openSync(join(folder, name), 'wx'));
      return name;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
        throw error;
      }
    }
  }
}
