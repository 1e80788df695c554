import type { OtherProxy } from '../../core/leftovers/names.ts';
import type { CleanupReport } from '../cleanup-report.ts';
import { findLeftovers } from './find-leftovers.ts';
import { withLeftoverPorts } from './leftover-ports.ts';
import { removeLeftovers } from './remove-leftovers.ts';

/** Removes what these proxies left, whether sluice is here or not. Rejects with an Error or KernelError. */
export async function removeOthers(proxies: readonly OtherProxy[], vipInterface: string): Promise<CleanupReport> {
  if (proxies.length === 0) {
    return { removed: [], kept: [], failed: [] };
  }
  const reports = await withLeftoverPorts(async (ports) => {
    const each: CleanupReport[] = [];
    for (const proxy of proxies) {
      each.push(await removeLeftovers(ports, await findLeftovers(ports, proxy, vipInterface)));
    }
    return each;
  });
  return {
    removed: reports.flatMap(({ removed }) => removed),
    kept: reports.flatMap(({ kept }) => kept),
    failed: reports.flatMap(({ failed }) => failed),
  };
}
