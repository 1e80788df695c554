/**
 * Options of Node.js for a process that is measured: those of the program as it is shipped, those asked for, and in a run with
 * profiles what makes it leave one.
 */

import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { shippedNodeOptions } from '../../build/node-options.ts';
import type { Size } from '../result.ts';

/** Set by `npm run bench -- --profile`; for the processes in the lab. */
const wanted = process.env['SLUICE_BENCH_PROFILES'] === 'wanted';

/** Whether profiles are taken: a process that is killed leaves none. */
export function isProfiling(): boolean {
  return wanted;
}

/** Set by `npm run bench -- --node OPTION`: a JSON list. */
const given: unknown = JSON.parse(process.env['SLUICE_BENCH_NODE_OPTIONS'] ?? '[]');

/** For a process that does `what` with a cluster of that size; the profile is left in the folder of the results. */
export function nodeOptions(what: string, size: Size): readonly string[] {
  const asked = Array.isArray(given) ? given.filter((each) => typeof each === 'string') : [];
  return withProfile([...shippedNodeOptions, ...asked], what, size);
}

/**
 * For the API server beside what is measured: a young generation so large that it hardly ever collects garbage, for which
 * the agent would have to wait.
 */
export function serverOptions(what: string, size: Size): readonly string[] {
  return withProfile(['--min-semi-space-size=64', '--max-semi-space-size=64'], `server-of-${what}`, size);
}

function withProfile(options: readonly string[], what: string, size: Size): readonly string[] {
  if (!wanted) {
    return options;
  }
  const folder = process.env['SLUICE_LAB_RESULTS'] ?? '.';
  const name = freeName(folder, `${what}-${sizeName(size)}`);
  return [...options, '--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}`];
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
