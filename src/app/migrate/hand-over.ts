/** Gives the node back to kube-proxy in ipvs mode: what is sluice's goes, but for the virtual servers that it shares. */

import { proxyInterface } from '../../core/leftovers/names.ts';
import { workingAgent } from '../agent-lock.ts';
import { cleanUp } from '../cleanup.ts';
import type { CleanupReport } from '../cleanup-report.ts';
import type { Config } from '../config/config.ts';
import { closeKernel, openKernel, planRules } from '../kernel.ts';
import { nodeNameOf } from '../source.ts';
import { withLeftoverPorts } from './leftover-ports.ts';

/** Rejects with an Error, having changed nothing, while an agent works or kube-proxy has not taken over every VIP. */
export async function handOver(config: Config): Promise<CleanupReport> {
  const agent = await workingAgent();
  if (agent !== undefined) {
    throw new Error(`expected sluice to be stopped on this node, found an agent at work (${agent}); stop it first`);
  }
  const taken = await withLeftoverPorts(async ({ interfaces }) => interfaces.addresses(proxyInterface['kube-proxy']));
  const ports = openKernel(config);
  try {
    const recorded = (ports.filter.dump(['vips']) ?? []).flatMap((each) => (each.set === 'vips' ? [each.address] : []));
    const missing = recorded.filter((address) => taken?.includes(address) !== true);
    if (missing.length > 0) {
      throw new Error(
        `expected kube-proxy in ipvs mode to have every VIP on ${proxyInterface['kube-proxy']}, found ${missing.length} missing, among them ${missing[0] ?? ''}; start it, wait until it is healthy, and try again; with another mode of kube-proxy use sluice cleanup`,
      );
    }
    return cleanUp(ports, planRules(config, nodeNameOf(config)), 'keep-plain-virtual-servers');
  } finally {
    closeKernel(ports);
  }
}
