/** What both ends of sluice on a node have in common, its cleanup and its handing over: steps that go on after an error. */

import { resourceKeyOf } from '../core/actual.ts';
import type { Operation } from '../core/model/operation.ts';
import type { SmallExecution } from '../kernel/execution.ts';
import type { KernelPorts } from '../kernel/executor.ts';
import { openPodNetwork } from '../kernel/pod-network/open-pod-network.ts';
import { openReversePath } from '../kernel/reverse-path/open-reverse-path.ts';
import type { CleanupReport } from './cleanup-report.ts';
import type { Config } from './config/config.ts';
import { openPodRecords } from './direct-return/pod-records.ts';
import { restoreAllPods } from './direct-return/restore-all.ts';

/** A report in the making. */
export interface Report extends CleanupReport {
  readonly removed: string[];
  readonly kept: { what: string; why: string }[];
  readonly failed: { what: string; error: string }[];
}

export function emptyReport(): Report {
  return { removed: [], kept: [], failed: [] };
}

export function attempt(report: Report, what: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    report.failed.push({ what, error: error instanceof Error ? error.message : String(error) });
  }
}

/** Tells of everything but elements: they are parts of the table. */
export function reportExecution(report: Report, { performed, failed }: SmallExecution): void {
  const outside = performed.filter(({ kind }) => kind !== 'remove-element');
  report.removed.push(...outside.map((operation) => describe(operation)));
  report.failed.push(...failed.map(({ operation, error }) => ({ what: describe(operation), error: error.message })));
}

export function removeTable(report: Report, { filter }: KernelPorts): void {
  attempt(report, 'nftables table inet sluice', () => {
    if (filter.removeTable() === 'removed') {
      report.removed.push('nftables table inet sluice');
    }
  });
}

export function removeInterface(report: Report, ports: KernelPorts): void {
  attempt(report, 'VIP interface', () => {
    switch (ports.link.removeInterface()) {
      case 'removed':
        report.removed.push('VIP interface');
        break;
      case 'absent':
        break;
      case 'not-ours':
        report.kept.push({ what: 'VIP interface', why: 'sluice did not make it' });
        break;
      case 'in-use':
        report.kept.push({ what: 'VIP interface', why: 'addresses that are not sluice’s are on it' });
        break;
    }
  });
}

/** After the virtual servers: nothing is sent into a tunnel any more. */
export function restorePods(report: CleanupReport, config: Config): CleanupReport {
  const { restored, failed } = restoreAllPods({
    network: openPodNetwork(),
    reversePath: openReversePath(),
    records: openPodRecords(config.podRecords),
  });
  return { ...report, removed: [...report.removed, ...restored], failed: [...report.failed, ...failed] };
}

function describe(operation: Operation): string {
  switch (operation.kind) {
    case 'remove-virtual-server':
      return `virtual server ${resourceKeyOf(operation)}`;
    case 'remove-vip':
      return `VIP ${operation.address}`;
    default:
      return `${operation.kind} ${resourceKeyOf(operation)}`;
  }
}
