import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProfileResult } from '../result.ts';
import type { CpuProfile } from './cpu-profile.ts';
import { groupTimes, type Program } from './group-times.ts';

/** Where the time of the processes went whose profiles lie in `folder`, those of one kind together. */
export async function summariseProfiles(folder: string, program: Program): Promise<readonly ProfileResult[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(ending)).toSorted();
  const byKind = new Map<string, CpuProfile[]>();
  for (const name of names) {
    const text = await readFile(join(folder, name), 'utf8');
    // A process that did not come to its end leaves an empty file.
    if (text !== '') {
      const kind = name.slice(0, name.lastIndexOf('-'));
      // Written by Node.js (--cpu-prof).
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      byKind.set(kind, [...(byKind.get(kind) ?? []), JSON.parse(text) as CpuProfile]);
    }
  }
  return [...byKind].map(([kind, profiles]) => resultOf(kind, profiles, program));
}

/** Of the names of profiles; before it stands a number. */
export const ending = '.cpuprofile';

/** Means of the processes. */
function resultOf(kind: string, profiles: readonly CpuProfile[], program: Program): ProfileResult {
  const sums = new Map<string, number>();
  for (const profile of profiles) {
    for (const [group, ms] of groupTimes(profile, program)) {
      sums.set(group, (sums.get(group) ?? 0) + ms);
    }
  }
  const means = [...sums].map(([group, ms]): [string, number] => [group, ms / profiles.length]);
  const sorted = means.toSorted(([, one], [, other]) => other - one);
  return { kind, processes: profiles.length, groupsMs: Object.fromEntries(sorted) };
}
