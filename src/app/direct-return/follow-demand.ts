/** Between the loop and the pods: what is wanted after each pass, and what has become of it. */

import { demandPodTunnels, noPodTunnels } from '../../core/pod-tunnels.ts';
import type { ReconcilerView } from '../reconciler/state.ts';
import type { PodTunnels } from './pod-tunnels.ts';

/** To be called after each pass: by then no destination leads to a pod that is wanted no longer. */
export function followDemand(tunnels: Pick<PodTunnels, 'want'>): (view: ReconcilerView) => void {
  let demand = noPodTunnels();
  let isFirst = true;
  return ({ desired, actual, isStarted }) => {
    const next = demandPodTunnels(demand, desired, actual);
    // The first pass says too that nothing is wanted of what an earlier run prepared.
    if (isStarted && (isFirst || next !== demand)) {
      tunnels.want(next.tunnels);
      isFirst = false;
    }
    demand = next;
  };
}
