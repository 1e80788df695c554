import { readFile, writeFile } from 'node:fs/promises';

const file = '/proc/sys/vm/max_map_count';
/** What newer distributions set; Linux itself sets 65530. */
const wanted = 1_048_576;

/**
 * Each page that a process of a user-mode machine maps may count against this limit of the host: an API server with
 * 10,000 Services needs more than the default, and so does sluice with 50,000, which would end with SIGSEGV. Raised when we
 * may, for good; otherwise told.
 */
export async function raiseMapCount(): Promise<void> {
  const found = Number(await readFile(file, 'utf8'));
  if (found >= wanted) return;
  try {
    await writeFile(file, String(wanted));
    console.error(`vm.max_map_count: raised from ${found} to ${wanted}`);
  } catch (error) {
    throw new Error(
      `vm.max_map_count: expected at least ${wanted}, found ${found}. Run as root: sysctl -w vm.max_map_count=${wanted}`,
      { cause: error },
    );
  }
}
