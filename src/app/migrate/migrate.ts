/** Takes a node over from another service proxy, and gives it back to kube-proxy. */

import { virtualServerKey } from '../../core/keys.ts';
import { type OtherProxy, otherProxies } from '../../core/leftovers/names.ts';
import { workingAgent } from '../agent-lock.ts';
import type { CleanupReport } from '../cleanup-report.ts';
import type { Config } from '../config/config.ts';
import { findLeftovers, type Leftovers } from './find-leftovers.ts';
import { handOver } from './hand-over.ts';
import { withLeftoverPorts } from './leftover-ports.ts';
import { outstandingOperations } from './outstanding.ts';
import { removeLeftovers } from './remove-leftovers.ts';
import { requireStopped } from './require-stopped.ts';
import { type ProxyState, proxyState } from './running.ts';

export interface MigrationPlan {
  /** What `sluice run` would still have to do before anything of another proxy may go. */
  readonly outstanding: number;
  /** The agent that works here, as it describes itself. */
  readonly agent: string | undefined;
  readonly proxies: readonly ProxyPlan[];
}

export interface ProxyPlan {
  readonly proxy: OtherProxy;
  readonly running: ProxyState;
  /** Virtual servers in sluice's record: taken over in place, with their connections. */
  readonly adopted: number;
  readonly remove: readonly string[];
  readonly keep: readonly { readonly what: string; readonly why: string }[];
}

/** What is here of which other proxy, and what taking over would do with it. Reads only. */
export async function planMigration(config: Config): Promise<MigrationPlan> {
  const agent = await workingAgent();
  return withLeftoverPorts(async (ports) => {
    const plans: ProxyPlan[] = [];
    for (const proxy of otherProxies) {
      const running = await proxyState(proxy, agent !== undefined);
      plans.push(planOf(proxy, running, await findLeftovers(ports, proxy, config.vipInterface)));
    }
    return { outstanding: await outstandingOperations(config, ports), agent, proxies: plans };
  });
}

/** Carries out one step. Rejects with an Error, having changed nothing, when something must be done before. */
export function migrate(
  config: Config,
  step: 'from-kube-proxy' | 'from-kube-router' | 'to-kube-proxy',
  whileRunning: boolean,
): Promise<CleanupReport> {
  switch (step) {
    case 'from-kube-proxy':
      return migrateFrom(config, 'kube-proxy', whileRunning);
    case 'from-kube-router':
      return migrateFrom(config, 'kube-router', whileRunning);
    case 'to-kube-proxy':
      return handOver(config);
  }
}

/**
 * Removes what the other proxy left. Rejects with an Error, having changed nothing, when it still runs and `whileRunning`
 * is false, and when sluice does not stand in its place yet.
 */
async function migrateFrom(config: Config, proxy: OtherProxy, whileRunning: boolean): Promise<CleanupReport> {
  if (!whileRunning) {
    await requireStopped([proxy]);
  }
  return withLeftoverPorts(async (ports) => {
    const outstanding = await outstandingOperations(config, ports);
    if (outstanding > 0) {
      throw new Error(
        `expected sluice to stand in the place of ${proxy}, found ${outstanding} operations outstanding; start sluice run, wait for its first sync, and try again (sluice plan lists them)`,
      );
    }
    return removeLeftovers(ports, await findLeftovers(ports, proxy, config.vipInterface));
  });
}

function planOf(proxy: OtherProxy, running: ProxyState, leftovers: Leftovers): ProxyPlan {
  const remove = [
    ...leftovers.rules.flatMap(({ family, removed }) => removed.map((part) => `${family} ${part}`)),
    ...leftovers.tables.map((name) => `nftables table ${name}`),
    ...leftovers.virtualServers.map((identity) => `virtual server ${virtualServerKey(identity)}`),
    ...(leftovers.interface === undefined ? [] : [`interface ${leftovers.interface}`]),
    ...leftovers.routing,
    ...leftovers.ipsets.map((name) => `ipset ${name}`),
  ];
  return { proxy, running, adopted: leftovers.adopted, remove, keep: leftovers.kept };
}
