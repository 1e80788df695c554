/** How what sluice makes inside a pod's network namespace is called. */

import type { Family } from '../../core/model/facts.ts';

/** The tunnel devices, as kube-router calls them: what an operator or a script looks for is where it was. */
const tunnelDevices: Readonly<Record<Family, string>> = { IPv4: 'kube-tunnel-if', IPv6: 'kube-tunnel-v6' };

/** The kinds of device (IFLA_INFO_KIND) that unwrap packets of a family. */
const tunnelKinds: Readonly<Record<Family, string>> = { IPv4: 'ipip', IPv6: 'ip6tnl' };

/** The alias of a tunnel device that sluice made. One without it is used and never removed. */
export const tunnelAlias = 'sluice: direct server return';

export function tunnelDeviceOf(family: Family): string {
  return tunnelDevices[family];
}

export function tunnelKindOf(family: Family): string {
  return tunnelKinds[family];
}
