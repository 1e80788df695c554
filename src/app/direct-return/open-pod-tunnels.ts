/** The pods of this node as the configuration asks for them. */

import type { PodTunnelState } from '../../core/model/pod-tunnel.ts';
import { openPodNetwork } from '../../kernel/pod-network/open-pod-network.ts';
import { openReversePath } from '../../kernel/reverse-path/open-reverse-path.ts';
import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import { runtimeOpener } from './open-runtime.ts';
import { openPodRecords } from './pod-records.ts';
import { createPodTunnels, type PodTunnels } from './pod-tunnels.ts';
import type { PodWork } from './prepare-pod.ts';

/**
 * Also where direct return is switched off: what an earlier run prepared is restored. Nothing is opened for it unless
 * there is a record.
 */
export function openPodTunnels(config: Config, log: Log, onChange: () => void): PodTunnels {
  const runtime = runtimeOpener(config.runtimeEndpoint, config.hostRoot);
  const tunnels = createPodTunnels({
    ...workOf(config, runtime.open),
    onChange,
    observer: {
      prepared: ({ pod, address, vips }) => log.info({ pod, address, vips }, 'pod answers clients directly'),
      restored: ({ pod, address }, how) =>
        log.info({ pod, address }, how === 'restored' ? 'network of pod restored' : 'pod is gone, forgotten'),
      troubled: (what, error, retryInMs) => log.warn({ err: error, retryInMs }, `could not ${what}`),
    },
    auditPeriodMs: config.ipvsSyncPeriodMs,
  });
  return {
    ...tunnels,
    stop: () => {
      tunnels.stop();
      runtime.close();
    },
  };
}

/** How far pods are by what is recorded and what stands; for those who look and change nothing. */
export function readPodTunnels(config: Config): ReadonlyMap<string, PodTunnelState> {
  const { states } = createPodTunnels({
    ...workOf(config, runtimeOpener(config.runtimeEndpoint, config.hostRoot).open),
    onChange: () => {},
    observer: { prepared: () => {}, restored: () => {}, troubled: () => {} },
    auditPeriodMs: config.ipvsSyncPeriodMs,
  });
  return states();
}

function workOf({ podRecords, hostRoot }: Config, runtime: PodWork['runtime']): PodWork {
  const records = openPodRecords(podRecords);
  return { network: openPodNetwork(), reversePath: openReversePath(), records, runtime, hostRoot };
}
