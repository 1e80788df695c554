/** The state of each watch as metrics, and its losses and returns in the log. */

import type { FactSource, SourceState } from '../../kube/source.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { sourceRemedy } from './source-remedy.ts';

const refreshMs = 1_000;

/** Returns the way to stop. */
export function watchSource(source: FactSource, metrics: Metrics, log: Log): () => void {
  const lost = new Set<string>();
  const refresh = (): void => {
    for (const state of source.states()) {
      if (state.phase !== 'unavailable') {
        metrics.watchConnected.set({ kind: state.kind }, state.phase === 'synced' ? 1 : 0);
      }
      if (state.lastEventAgeMs !== undefined) {
        metrics.watchLastEvent.set({ kind: state.kind }, (Date.now() - state.lastEventAgeMs) / 1000);
      }
      tell(state, lost, log);
    }
  };
  const timer = setInterval(refresh, refreshMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Once when it is lost and once when it is back: an outage of an hour is two lines for each kind. */
function tell(state: SourceState, lost: Set<string>, log: Log): void {
  const fields = { kind: state.kind, reason: state.lastError?.code, message: state.lastError?.message };
  if (state.phase === 'unavailable' && !lost.has(state.kind)) {
    lost.add(state.kind);
    log.info(fields, 'the API server does not offer this kind; it is done without, and asked for again');
  } else if (state.phase === 'backoff' && !lost.has(state.kind)) {
    lost.add(state.kind);
    if (!state.hasSynced) {
      const remedy = state.lastError === undefined ? undefined : sourceRemedy(state.lastError.code);
      log.warn(
        { ...fields, remedy },
        'nothing is known of this kind yet; what is programmed stays, and it is tried again',
      );
      return;
    }
    log.warn(fields, 'watch lost; what is programmed stays, and it is tried again');
  } else if (state.phase === 'synced' && lost.delete(state.kind)) {
    log.info({ kind: state.kind }, 'watch is back');
  }
}
