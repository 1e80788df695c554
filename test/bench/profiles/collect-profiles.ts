import { cp, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ProfileResult } from '../result.ts';
import { openProgram } from './open-program.ts';
import { ending, summariseProfiles } from './summarise-profiles.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface ProfilePlaces {
  /** The bundles, with their source maps. */
  readonly programs: string;
  /** What the run left. */
  readonly results: string;
  /** Where the profiles are to stay. */
  readonly destination: string;
}

/** Keeps the profiles of a run, and says what is in them. */
export async function collectProfiles(places: ProfilePlaces): Promise<readonly ProfileResult[]> {
  const { programs, results, destination } = places;
  await mkdir(destination, { recursive: true });
  await cp(results, destination, {
    recursive: true,
    filter: (path) => path === results || path.endsWith(ending),
  });
  return summariseProfiles(results, openProgram(programs, root));
}
