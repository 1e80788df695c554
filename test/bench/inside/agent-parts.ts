/** The agent's own parts, put together as `runAgent` does, where a measure has to look inside. */

import type { Config } from '../../../src/app/config/config.ts';
import { makeConfig } from '../../../src/app/config/make-config.ts';
import { makeContext, type NodeReading } from '../../../src/app/context.ts';
import { ensureSettings, openHostFiles } from '../../../src/app/host/ensure-settings.ts';
import { neededSysctls } from '../../../src/app/host/sysctls.ts';
import { contextSettings, planRules, schedulerSupport } from '../../../src/app/kernel.ts';
import { createReconciler, type Reconciler } from '../../../src/app/reconciler/reconciler.ts';
import { parseCIDR } from '../../../src/core/address.ts';
import { emptyFacts } from '../../../src/core/facts.ts';
import type { CompileContext } from '../../../src/core/model/context.ts';
import type { VipMode } from '../../../src/core/model/vip.ts';
import type { KernelPorts } from '../../../src/kernel/executor.ts';
import { clusterCIDRs, nodeName } from './world.ts';

/** Defaults but for the made-up cluster. */
export function benchConfig(vipMode: VipMode, given: Partial<Config> = {}): Config {
  const cidrs = clusterCIDRs.map(parseCIDR).filter((cidr) => cidr !== undefined);
  return makeConfig({ hostnameOverride: nodeName, clusterCIDRs: cidrs, vipMode, ...given });
}

/** What the agent sets before it programs IPVS. */
export function setNeededSysctls(): void {
  const settings = neededSysctls.map((need) => ({ ...need, place: 'sysctl', weight: 'needed' }) as const);
  ensureSettings(openHostFiles(), settings);
}

export interface Assembled {
  readonly reconciler: Reconciler;
  readonly contextOf: (reading: NodeReading) => CompileContext;
}

export function assemble(config: Config, ports: KernelPorts): Assembled {
  const settings = contextSettings(config, nodeName, schedulerSupport(config));
  const nothing = { addresses: [], defaultSources: { IPv4: undefined, IPv6: undefined } };
  const reconciler = createReconciler({
    ports,
    context: makeContext(settings, emptyFacts(nodeName), nothing),
    rules: planRules(config, nodeName),
    fwmarkMask: config.fwmarkMask,
    graceMs: config.ipvsGracefulPeriodMs,
    now: () => performance.now(),
  });
  return { reconciler, contextOf: (reading) => makeContext(settings, reconciler.view.facts, reading) };
}
