/** Gives the node back to kube-proxy in ipvs mode, with the connections. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type Actual, adoptReading, ownershipKey } from '../../core/actual.ts';
import { familyOf } from '../../core/address.ts';
import { handOverPlan, markedConnections, withdrawViews } from '../../core/hand-over.ts';
import { kubeProxyMasquerades } from '../../core/leftovers/iptables.ts';
import { proxyInterface } from '../../core/leftovers/names.ts';
import type { VirtualServerIdentity } from '../../core/model/virtual-server.ts';
import type { PlanRules } from '../../core/plan.ts';
import { executePlan, type KernelPorts } from '../../kernel/executor.ts';
import { workingAgent } from '../agent-lock.ts';
import type { CleanupReport } from '../cleanup-report.ts';
import {
  attempt,
  emptyReport,
  type Report,
  removeInterface,
  removeTable,
  reportExecution,
  restorePods,
} from '../cleanup-steps.ts';
import type { Config } from '../config/config.ts';
import { closeKernel, openKernel, planRules } from '../kernel.ts';
import { recordSets } from '../ownership.ts';
import { nodeNameOf } from '../source.ts';
import { type LeftoverPorts, withLeftoverPorts } from './leftover-ports.ts';
import { proxyState } from './running.ts';

/** Rejects with an Error, having changed nothing, while an agent works or kube-proxy has not taken over everything. */
export async function handOver(config: Config): Promise<CleanupReport> {
  const agent = await workingAgent();
  if (agent !== undefined) {
    throw new Error(`expected sluice to be stopped on this node, found an agent at work (${agent}); stop it first`);
  }
  const { state, how } = await proxyState('kube-proxy', false);
  if (state === 'stopped') {
    throw new Error(`expected kube-proxy to run on this node, found it stopped (${how}); start it in ipvs mode first`);
  }
  const ports = openKernel(config);
  try {
    return await withLeftoverPorts(async (others) => {
      const report = await giveToKubeProxy({ ports, others, rules: planRules(config, nodeNameOf(config)) });
      // The record stays for as long as something goes through virtual servers of sluice's, perhaps into a tunnel.
      const isOver = ports.filter.dump(recordSets) === undefined;
      return isOver ? restorePods(report, config) : report;
    });
  } finally {
    closeKernel(ports);
  }
}

export interface GivingInput {
  readonly ports: KernelPorts;
  readonly others: Pick<LeftoverPorts, 'interfaces' | 'iptables'>;
  readonly rules: Omit<PlanRules, 'quarantined'>;
  /** Between two looks at what became of the VIPs. */
  readonly pause?: () => Promise<void>;
}

/** While kube-proxy goes on with its syncs. Rejects with an Error, having changed nothing, when it is not ready. */
export async function giveToKubeProxy({ ports, others, rules, pause = shortPause }: GivingInput): Promise<Report> {
  const vips = servedVips(ports);
  await requireReady(vips, others);
  others.interfaces.addAddresses(itsInterface, vips);
  const report = handOverKernel(ports, rules);
  await keepOn({ report, vips, interfaces: others.interfaces, pause });
  return report;
}

const itsInterface = proxyInterface['kube-proxy'];

/** What is on the node goes to kube-proxy, which must stand in for all of it. Goes on after an error and reports it. */
export function handOverKernel(ports: KernelPorts, rules: Omit<PlanRules, 'quarantined'>): Report {
  const report = emptyReport();
  reportExecution(report, executePlan(withdrawViews(read(ports)), ports));
  const actual = read(ports);
  const isOurs = (identity: VirtualServerIdentity): boolean => actual.elements.has(ownershipKey(identity));
  const busy = markedConnections(ports.ipvs.dump(), isOurs);
  reportExecution(report, executePlan(handOverPlan(actual, new Set(busy.keys()), rules), ports));
  if (busy.size === 0 && report.failed.length === 0) {
    removeTable(report, ports);
  }
  removeInterface(report, ports);
  for (const [key, count] of busy) {
    const why = `${count} connections go on through it; run this again when they have ended`;
    report.kept.push({ what: `virtual server ${key}`, why });
  }
  return report;
}

function read(ports: KernelPorts): Actual {
  return adoptReading({
    virtualServers: ports.ipvs.dump(),
    vips: ports.link.dumpVips(),
    elements: ports.filter.dump() ?? ports.filter.dump(recordSets) ?? [],
  });
}

/** VIPs of sluice's that have a virtual server: kube-proxy removes those that no Service asks for in its first sync. */
function servedVips(ports: KernelPorts): readonly string[] {
  const recorded = (ports.filter.dump(['vips']) ?? []).flatMap((each) => (each.set === 'vips' ? [each.address] : []));
  const served = new Set(
    ports.ipvs.dump().flatMap(({ server: { identity } }) => (identity.kind === 'address' ? [identity.address] : [])),
  );
  return recorded.filter((address) => served.has(address));
}

/**
 * kube-proxy writes its rules last in a sync, so that they tell of a whole one. Not all its addresses are there then: it
 * leaves out external and load-balancer IPs that another interface has, as sluice's does (pkg/proxy/ipvs/proxier.go,
 * shouldBind). Rejects with an Error when it has not synced.
 */
async function requireReady(vips: readonly string[], { interfaces, iptables }: GivingInput['others']): Promise<void> {
  const ways = 'wait until it has synced and try again, or with another mode of kube-proxy use sluice cleanup';
  if (interfaces.addresses(itsInterface) === undefined) {
    throw new Error(`expected the interface ${itsInterface} of kube-proxy in ipvs mode, found none; ${ways}`);
  }
  const readings = await iptables.read();
  for (const family of new Set(vips.map((address) => familyOf(address)))) {
    if (!readings.some((each) => each.family === family && kubeProxyMasquerades(each.text))) {
      throw new Error(
        `expected the chain KUBE-POSTROUTING of kube-proxy to masquerade ${family}, found no such rule; ${ways}`,
      );
    }
  }
}

/**
 * A sync that began while sluice's interface had an address takes it from kube-proxy's again at its end; the next one
 * keeps it.
 */
async function keepOn({ report, vips, interfaces, pause }: KeepingInput): Promise<void> {
  const failedBefore = report.failed.length;
  for (let watched = 0; watched < watchMs && report.failed.length === failedBefore; watched += pauseMs) {
    attempt(report, `VIPs on ${itsInterface}`, () => interfaces.addAddresses(itsInterface, vips));
    await pause();
  }
}

interface KeepingInput extends Pick<LeftoverPorts, 'interfaces'> {
  readonly report: Report;
  readonly vips: readonly string[];
  readonly pause: () => Promise<void>;
}

/** Longer than a sync of kube-proxy's takes that was under way. */
const watchMs = 5_000;
const pauseMs = 100;

function shortPause(): Promise<void> {
  return sleep(pauseMs);
}
