/** Which pods of this node are to answer for which VIPs, of all Services together. */

import type { Actual } from './actual.ts';
import type { Desired } from './desired.ts';
import type { PodTunnel } from './model/pod-tunnel.ts';
import type { WantedPodTunnel } from './model/resource.ts';

export interface PodTunnelDemand {
  /** By the pod's address. */
  readonly tunnels: ReadonlyMap<string, PodTunnel>;
  /** Nobody asks for these any more, but connections to them go on. */
  readonly leaving: ReadonlySet<string>;
  /** What it was made of: nothing is to be done while it is the same. */
  readonly changes: number;
}

export function noPodTunnels(): PodTunnelDemand {
  return { tunnels: new Map(), leaving: new Set(), changes: 0 };
}

/** The demand after a pass; the same object when the pass changed nothing of it. */
export function demandPodTunnels(
  before: PodTunnelDemand,
  desired: Desired,
  { virtualServers }: Pick<Actual, 'virtualServers'>,
): PodTunnelDemand {
  const { podTunnels, podTunnelChanges: changes } = desired;
  if (before.changes === changes && before.leaving.size === 0) {
    return before;
  }
  const asked = join(podTunnels.values());
  const shrunk = [...before.tunnels].filter(([address, { vips }]) => hasFewer(vips, asked.get(address)));
  const draining = shrunk.length === 0 ? new Set<string>() : drainingPods(virtualServers);
  const leaving = shrunk.filter(([address]) => draining.has(address));
  for (const [address, tunnel] of leaving) {
    const wanted = asked.get(address);
    asked.set(address, { ...(wanted ?? tunnel), vips: union(tunnel.vips, wanted?.vips ?? []) });
  }
  return { tunnels: asked, leaving: new Set(leaving.map(([address]) => address)), changes };
}

/** A pod that one Service reaches in GUE unwraps what comes without it too: the wider of two wishes serves both. */
function join(parts: Iterable<WantedPodTunnel>): Map<string, PodTunnel> {
  const tunnels = new Map<string, PodTunnel>();
  for (const { address, pod, vip, encapsulation } of parts) {
    const known = tunnels.get(address);
    tunnels.set(address, {
      address,
      pod,
      vips: union(known?.vips ?? [], [vip]),
      encapsulation: known?.encapsulation === 'gue' ? 'gue' : encapsulation,
    });
  }
  return tunnels;
}

function union(one: readonly string[], other: readonly string[]): readonly string[] {
  return [...new Set([...one, ...other])].sort();
}

function hasFewer(vips: readonly string[], after: PodTunnel | undefined): boolean {
  return vips.some((vip) => after?.vips.includes(vip) !== true);
}

/** Pods with a tunnel destination that takes no new connections: those that it has still need all their VIPs. */
function drainingPods(virtualServers: Actual['virtualServers']): ReadonlySet<string> {
  const addresses = new Set<string>();
  for (const { destinations } of virtualServers.values()) {
    for (const { address, forwarding, weight } of destinations) {
      if ((forwarding === 'tunnel' || forwarding === 'gue') && weight === 0) {
        addresses.add(address);
      }
    }
  }
  return addresses;
}
