/** sluice and the other proxies, one after the other against the same API server with the same objects. */

import type { PeersPlan } from '../../options.ts';
import type { PeerResult } from '../../result.ts';
import { startCluster } from './cluster.ts';
import { contenders } from './contenders.ts';
import { measurePeer } from './measure.ts';

/** At each size all contenders in turn, from the smallest on. Who was late is not asked at larger sizes. */
export async function measurePeers(plan: PeersPlan): Promise<readonly PeerResult[]> {
  if (plan.sizes.length === 0) {
    return [];
  }
  const cluster = await startCluster();
  try {
    const results: PeerResult[] = [];
    for (const size of plan.sizes) {
      await cluster.grow(size);
      for (const contender of contenders()) {
        if (!results.some((result) => result.proxy === contender.name && hasGivenUp(result))) {
          process.stderr.write(`peers ${contender.name} ${JSON.stringify(size)}\n`);
          const isLargest = size === plan.sizes.at(-1);
          const planned = isLargest ? plan : { ...plan, idleSeconds: 0 };
          results.push(await measurePeer({ contender, cluster, size, plan: planned }));
        }
      }
    }
    return results;
  } finally {
    await cluster.remove();
  }
}

function hasGivenUp(result: PeerResult): boolean {
  return result.kind === 'failed' || !('ms' in result.cold);
}
