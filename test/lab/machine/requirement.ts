import { existsSync } from 'node:fs';

/**
 * Vitest's global set-up of the projects that need the lab: without its kernel the run fails as a whole, with one
 * message, instead of passing because there was nothing to run on.
 */
export function setup(): void {
  if (process.env['SLUICE_LAB'] === undefined) {
    throw new Error('these tests run in the lab only: "npm run lab -- kernel", "… api" or "… cluster"');
  }
  if (!existsSync('/proc/net/ip_vs')) {
    throw new Error(
      'this kernel has no IPVS (/proc/net/ip_vs is missing): remove the lab from the cache and try again',
    );
  }
}
