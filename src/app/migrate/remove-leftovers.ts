/** Removes what another service proxy left, in the order in which one thing holds the next. Goes on after an error. */

import { setTimeout as sleep } from 'node:timers/promises';
import { virtualServerKey } from '../../core/keys.ts';
import type { CleanupReport } from '../cleanup-report.ts';
import type { Leftovers } from './find-leftovers.ts';
import type { LeftoverPorts } from './leftover-ports.ts';

/** Rules first: they lead packets away from IPVS, and hold the ipsets. */
export async function removeLeftovers(ports: LeftoverPorts, leftovers: Leftovers): Promise<CleanupReport> {
  const removed: string[] = [];
  const kept = [...leftovers.kept];
  const failed: { what: string; error: string }[] = [];
  const attempt = async (what: readonly string[], action: () => Promise<void> | void): Promise<void> => {
    try {
      await action();
      removed.push(...what);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      failed.push({
        what: what.length === 1 ? (what[0] ?? '') : `${what.length} parts of ${what[0] ?? ''}`,
        error: message,
      });
    }
  };
  for (const { kind, family, restore, removed: parts } of leftovers.rules) {
    const named = parts.map((part) => `${family} ${part}`);
    await attempt(named, () => ports.iptables.restore(kind, family, restore));
  }
  for (const table of leftovers.tables) {
    await attempt([`nftables table ${table}`], () => ports.tables.remove(table));
  }
  const outcome = ports.ipvs.apply(
    leftovers.virtualServers.map((identity) => ({ kind: 'remove-virtual-server', identity })),
  );
  const failures = new Map(outcome.failures.map(({ index, error }) => [index, error]));
  for (const [index, identity] of leftovers.virtualServers.entries()) {
    await attempt([`virtual server ${virtualServerKey(identity)}`], () => {
      const error = failures.get(index);
      if (error !== undefined) throw error;
    });
  }
  const { interface: name } = leftovers;
  if (name !== undefined) {
    await attempt([`interface ${name}`], () => void ports.interfaces.remove(name));
  }
  if (leftovers.routing.length > 0) {
    await attempt(leftovers.routing, () => ports.interfaces.removeRouting());
  }
  for (const set of leftovers.ipsets) {
    await attempt([`ipset ${set}`], async () => {
      if ((await destroyed(ports, set)) === 'in-use') {
        throw new Error('a rule or another set still names it');
      }
    });
  }
  return { removed, kept, failed };
}

/** The kernel lets go of a set a moment after the last rule that names it: rules are freed after a grace period. */
async function destroyed(
  { ipset }: LeftoverPorts,
  name: string,
): Promise<ReturnType<LeftoverPorts['ipset']['destroy']>> {
  for (let attempt = 1; attempt < maximumAttempts; attempt += 1) {
    const outcome = ipset.destroy(name);
    if (outcome !== 'in-use') return outcome;
    await sleep(pauseMs);
  }
  return ipset.destroy(name);
}

const maximumAttempts = 20;
const pauseMs = 50;
