/** The state of each watch as metrics, refreshed when a scrape may want it. */

import type { FactSource } from '../../kube/source.ts';
import type { Metrics } from '../metrics/metrics.ts';

const refreshMs = 5_000;

/** Returns the way to stop. */
export function watchSources(source: FactSource, metrics: Metrics): () => void {
  const refresh = (): void => {
    for (const state of source.states()) {
      metrics.watchConnected.set({ kind: state.kind }, state.phase === 'synced' ? 1 : 0);
    }
  };
  const timer = setInterval(refresh, refreshMs);
  timer.unref();
  return () => clearInterval(timer);
}
