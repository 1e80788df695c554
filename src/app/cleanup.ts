/** Removes everything that is sluice's from this node: the same plan as always, with nothing wanted. */

import { adoptReading, resourceKeyOf } from '../core/actual.ts';
import { allKeys } from '../core/all-keys.ts';
import { emptyDesired } from '../core/desired.ts';
import { virtualServerKey } from '../core/keys.ts';
import { makePlan, type PlanRules } from '../core/plan.ts';
import { executePlan, type KernelPorts } from '../kernel/executor.ts';
import type { CleanupReport } from './cleanup-report.ts';
import {
  attempt,
  emptyReport,
  type Report,
  removeInterface,
  removeTable,
  reportExecution,
  restorePods,
} from './cleanup-steps.ts';
import type { Config } from './config/config.ts';
import { closeKernel, openKernel, planRules } from './kernel.ts';
import { removeOthers } from './migrate/remove-others.ts';
import { requireStopped } from './migrate/require-stopped.ts';
import { recordSets, recoverOwnership } from './ownership.ts';
import { nodeNameOf } from './source.ts';

/** Cleans the node that this process runs on. */
export async function cleanup(config: Config): Promise<CleanupReport> {
  await requireStopped(config.cleanupOf);
  const ports = openKernel(config);
  try {
    const report = restorePods(cleanUp(ports, planRules(config, nodeNameOf(config))), config);
    const others = await removeOthers(config.cleanupOf, config.vipInterface);
    return {
      removed: [...report.removed, ...others.removed],
      kept: withoutRepeats([...others.kept, ...report.kept], new Set(others.removed)),
      failed: [...report.failed, ...others.failed],
    };
  } finally {
    closeKernel(ports);
  }
}

/** What the second look removed was not kept, and what both kept is told once. */
function withoutRepeats(kept: CleanupReport['kept'], removed: ReadonlySet<string>): CleanupReport['kept'] {
  const seen = new Set(removed);
  return kept.filter(({ what }) => {
    const isNew = !seen.has(what);
    seen.add(what);
    return isNew;
  });
}

/** Goes on after an error and reports it. Running it on a clean node finds nothing and changes nothing. */
export function cleanUp(ports: KernelPorts, rules: Omit<PlanRules, 'quarantined'>): CleanupReport {
  const report = emptyReport();
  attempt(report, 'IPVS and VIPs', () => removeResources(report, ports, rules));
  if (report.failed.length === 0) {
    removeTable(report, ports);
  } else {
    const why = 'it records what could not be removed; run cleanup again';
    report.kept.push({ what: 'nftables table inet sluice', why });
  }
  removeInterface(report, ports);
  return report;
}

function removeResources(report: Report, ports: KernelPorts, rules: Omit<PlanRules, 'quarantined'>): void {
  const virtualServers = ports.ipvs.dump();
  const vips = ports.link.dumpVips();
  const recorded = ports.filter.dump(recordSets);
  const elements = recorded ?? recoverOwnership({ virtualServers, vips }, []).elements;
  const actual = adoptReading({ virtualServers, vips, elements });
  const desired = emptyDesired();
  const plan = makePlan({
    desired,
    actual,
    keys: allKeys(desired, actual),
    rules: { ...rules, quarantined: new Set() },
  });
  // Elements go with the table; only what stands outside it is removed one by one.
  const execution = executePlan({ ...plan, claim: [], unguard: [], disclaim: [], guard: [] }, ports);
  reportExecution(report, execution);
  keepForeign(
    report,
    actual,
    new Set(plan.remove.map((operation) => resourceKeyOf(operation))),
    recorded !== undefined,
  );
}

function keepForeign(
  report: Report,
  actual: ReturnType<typeof adoptReading>,
  removed: ReadonlySet<string>,
  isRecorded: boolean,
): void {
  const why = isRecorded
    ? 'not recorded as sluice’s'
    : 'the nftables table that records ownership is missing, and it is on no VIP of sluice’s';
  for (const { server } of actual.virtualServers.values()) {
    const key = virtualServerKey(server.identity);
    if (!removed.has(key)) {
      report.kept.push({ what: `virtual server ${key}`, why });
    }
  }
}
