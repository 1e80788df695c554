/**
 * What goes when kube-proxy in ipvs mode takes the node back. Its virtual servers are the plain ones that sluice has, and
 * so these stay, with their connections. A virtual server by firewall mark has no twin there, and its connections do not
 * outlive it: without its destination the kernel drops their packets, or ends them where net.ipv4.vs.expire_nodest_conn is
 * set, as kube-proxy sets it (net/netfilter/ipvs/ip_vs_core.c, ip_vs_in_hook). It stays until the last of them has ended.
 */

import type { Actual } from './actual.ts';
import { allKeys } from './all-keys.ts';
import { emptyDesired } from './desired.ts';
import { virtualServerKey } from './keys.ts';
import { type FilterElement, isViewElement } from './model/filter-element.ts';
import type { FilterOperation, Plan } from './model/operation.ts';
import type { VirtualServerIdentity, VirtualServerState } from './model/virtual-server.ts';
import { emptyPlan, makePlan, type PlanRules } from './plan.ts';

/** Comes first: without its mark no new connection reaches a virtual server by firewall mark. */
export function withdrawViews({ elements }: Actual): Plan {
  return { ...emptyPlan, unguard: [...elements.values()].filter(isViewElement).map(removal) };
}

/** How many connections go through virtual servers by firewall mark, where there are any; by `virtualServerKey`. */
export function markedConnections(
  virtualServers: readonly VirtualServerState[],
  concerns: (identity: VirtualServerIdentity) => boolean,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { server, destinations } of virtualServers) {
    const { identity } = server;
    const count = destinations.reduce((sum, each) => sum + each.activeConnections + each.inactiveConnections, 0);
    if (identity.kind === 'fwmark' && count > 0 && concerns(identity)) counts.set(virtualServerKey(identity), count);
  }
  return counts;
}

/** Everything else of sluice's, but the virtual servers named in `busy` and the record that they are sluice's. */
export function handOverPlan(actual: Actual, busy: ReadonlySet<string>, rules: Omit<PlanRules, 'quarantined'>): Plan {
  const desired = emptyDesired();
  const whole = makePlan({
    desired,
    actual,
    keys: allKeys(desired, actual),
    rules: { ...rules, quarantined: new Set() },
  });
  const leaves = ({ identity }: { readonly identity: VirtualServerIdentity }): boolean =>
    identity.kind === 'fwmark' && !busy.has(virtualServerKey(identity));
  return {
    ...whole,
    remove: whole.remove.filter((operation) => operation.kind === 'remove-virtual-server' && leaves(operation)),
    disclaim: whole.disclaim.filter(({ element }) => !isRecordOf(element, busy)),
  };
}

function isRecordOf(element: FilterElement, busy: ReadonlySet<string>): boolean {
  return element.set === 'fwmarks' && busy.has(virtualServerKey({ ...element, kind: 'fwmark' }));
}

function removal(element: FilterElement): FilterOperation {
  return { kind: 'remove-element', element };
}
