/** Says when pods can no longer, or again, be told from other sources. */

import type { CompileContext } from '../../core/model/context.ts';
import { families } from '../../core/model/facts.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { PodDetection } from '../pod-detection.ts';

/** Looks at each context that is about to be in force. */
export function createDetectionWatch(
  detection: PodDetection,
  { log, metrics }: { readonly log: Log; readonly metrics: Metrics },
): (context: CompileContext) => void {
  let last: boolean | undefined;
  return ({ detectsLocal, podSources }) => {
    for (const ip_family of families) {
      metrics.detectsLocal.set({ ip_family }, detectsLocal[ip_family] ? 1 : 0);
    }
    const detects = detectsLocal.IPv4 || detectsLocal.IPv6;
    if (detects === last) {
      return;
    }
    if (!detects) {
      tellOfNone(detection, log);
    } else if (last === false) {
      log.info(
        { podSources: podSources.map(({ address, prefixLength }) => `${address}/${prefixLength}`) },
        'pods can be told from other clients now',
      );
    }
    last = detects;
  };
}

function tellOfNone(detection: PodDetection, log: Log): void {
  const effect =
    'pods cannot be told from other clients: nobody is masqueraded on ClusterIPs, and Local policies take pods for clients outside';
  if (detection.by === 'node') {
    log.warn({ reason: 'the Node has no podCIDRs; waiting for them' }, effect);
  } else {
    log.info({ reason: 'no --cluster-cidr is given' }, effect);
  }
}
