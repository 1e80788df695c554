/** How many pods are to answer clients directly, by how far each is. */

import type { PodTunnelState } from '../../core/model/pod-tunnel.ts';
import type { Metrics } from '../metrics/metrics.ts';

/** Read when /metrics is asked for; every state is there, also with none in it. */
export function countPodTunnels(
  { podTunnels, beforeRender }: Metrics,
  states: () => ReadonlyMap<string, PodTunnelState>,
): void {
  beforeRender(() => {
    const counts: Record<PodTunnelState['kind'], number> = { preparing: 0, prepared: 0, failed: 0 };
    for (const { kind } of states().values()) {
      counts[kind] += 1;
    }
    for (const [state, count] of Object.entries(counts)) {
      podTunnels.set({ state }, count);
    }
  });
}
