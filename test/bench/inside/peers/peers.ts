/** sluice and the other proxies, one after the other against the same API server with the same objects. */

import { hasGivenUp } from '../../given-up.ts';
import type { PeersPlan } from '../../plan.ts';
import type { PeerResult } from '../../result.ts';
import { startCluster } from './cluster.ts';
import { contenders } from './contenders.ts';
import { measurePeer } from './measure.ts';

/**
 * At each size all contenders in turn, from the smallest on; `keep` gets what there is after each. Who exceeded a bound
 * is not asked at larger sizes, and once the time is over nobody is.
 */
export async function measurePeers(
  plan: PeersPlan,
  keep: (results: readonly PeerResult[]) => Promise<void>,
): Promise<readonly PeerResult[]> {
  const end = performance.now() + plan.totalLimitMs;
  const cluster = await startCluster(plan.sizes[0]?.family ?? 'IPv4');
  try {
    const results: PeerResult[] = [];
    for (const size of plan.sizes) {
      await cluster.grow(size);
      for (const contender of contenders()) {
        if (results.some((result) => result.proxy === contender.name && hasGivenUp(result))) {
          continue;
        }
        if (performance.now() > end) {
          process.stderr.write(`peers ${contender.name} ${JSON.stringify(size)}: not begun, the time is over\n`);
          continue;
        }
        process.stderr.write(`peers ${contender.name} ${JSON.stringify(size)}\n`);
        const isLargest = size === plan.sizes.at(-1);
        const planned = isLargest ? plan : { ...plan, idleSeconds: 0 };
        results.push(await measurePeer({ contender, cluster, size, plan: planned }));
        await keep(results);
      }
    }
    return results;
  } finally {
    await cluster.remove();
  }
}
