/** What another service proxy left on this node. Reads only. */

import { ownershipKey } from '../../core/actual.ts';
import { markedConnections } from '../../core/hand-over.ts';
import { filterElementKey, virtualServerKey } from '../../core/keys.ts';
import { directReturnMarks, type IptablesLeftovers, iptablesLeftovers } from '../../core/leftovers/iptables.ts';
import { ipsetOwner, kubeProxyTable, type OtherProxy, proxyInterface } from '../../core/leftovers/names.ts';
import type { Family } from '../../core/model/facts.ts';
import type { VirtualServerIdentity } from '../../core/model/virtual-server.ts';
import type { IptablesKind } from '../../kernel/iptables/open-iptables.ts';
import { recordSets } from '../ownership.ts';
import type { LeftoverPorts } from './leftover-ports.ts';

export interface Leftovers {
  readonly rules: readonly (IptablesLeftovers & { readonly kind: IptablesKind; readonly family: Family })[];
  /** `ip kube-proxy`. */
  readonly tables: readonly string[];
  /** Of the proxy's VIPs and marks, and not recorded as sluice's. */
  readonly virtualServers: readonly VirtualServerIdentity[];
  readonly interface: string | undefined;
  /** Policy routing. */
  readonly routing: readonly string[];
  readonly ipsets: readonly string[];
  readonly kept: readonly { readonly what: string; readonly why: string }[];
  /** Virtual servers that sluice has taken over, or would have. */
  readonly adopted: number;
}

/** `vipInterface` is the one that sluice uses: it stays, whoever made it. Rejects with an Error or KernelError. */
export async function findLeftovers(ports: LeftoverPorts, proxy: OtherProxy, vipInterface: string): Promise<Leftovers> {
  const readings = await ports.iptables.read();
  const rules = readings.map(({ kind, family, text }) => ({ kind, family, ...iptablesLeftovers(text, proxy) }));
  const name = proxyInterface[proxy];
  const addresses = ports.interfaces.addresses(name);
  const marks = proxy === 'kube-router' ? readings.flatMap(({ text }) => directReturnMarks(text)) : [];
  const servers = sortServers(ports, { addresses: new Set(addresses), marks: new Set(marks) });
  const isShared = name === vipInterface && ports.filter.dump(recordSets) !== undefined;
  return {
    rules: rules.filter(({ restore }) => restore !== ''),
    tables: proxy === 'kube-proxy' ? (await ports.tables.names()).filter((each) => isKubeProxyTable(each)) : [],
    virtualServers: servers.leftover,
    interface: addresses === undefined || isShared ? undefined : name,
    routing: proxy === 'kube-router' ? ports.interfaces.routing() : [],
    ipsets: ports.ipset.names().filter((each) => ipsetOwner(each) === proxy),
    kept: [
      ...rules.flatMap(({ kept }) => kept),
      ...(addresses !== undefined && isShared
        ? [{ what: `interface ${name}`, why: 'sluice keeps its VIPs on it' }]
        : []),
      ...servers.busy.map(({ key, count }) => ({
        what: `virtual server ${key}`,
        why: `${count} connections of direct server return go on through it; remove it by ipvsadm when they have ended`,
      })),
      ...servers.unclear.map((key) => ({
        what: `virtual server ${key}`,
        why: `not recorded as sluice’s, and on no address of ${name}: nothing tells whose it is`,
      })),
    ],
    adopted: servers.adopted,
  };
}

function isKubeProxyTable(name: string): boolean {
  return name === `ip ${kubeProxyTable}` || name === `ip6 ${kubeProxyTable}`;
}

interface SortedServers {
  readonly leftover: readonly VirtualServerIdentity[];
  /** The proxy's, by firewall mark, with connections that would not outlive them. */
  readonly busy: readonly { readonly key: string; readonly count: number }[];
  readonly unclear: readonly string[];
  readonly adopted: number;
}

/** By what the proxy has: addresses on its interface, firewall marks of its rules. */
function sortServers(
  { ipvs, filter }: LeftoverPorts,
  its: { readonly addresses: ReadonlySet<string>; readonly marks: ReadonlySet<number> },
): SortedServers {
  const recorded = new Set((filter.dump(recordSets) ?? []).map((element) => filterElementKey(element)));
  const all = ipvs.dump();
  const identities = all.map(({ server }) => server.identity);
  const foreign = identities.filter((identity) => !recorded.has(ownershipKey(identity)));
  const isIts = (identity: VirtualServerIdentity): boolean =>
    identity.kind === 'address' ? its.addresses.has(identity.address) : its.marks.has(identity.mark);
  const counts = markedConnections(all, isIts);
  const left = foreign.filter((identity) => isIts(identity));
  return {
    leftover: left.filter((identity) => !counts.has(virtualServerKey(identity))),
    busy: left.flatMap((identity) => {
      const key = virtualServerKey(identity);
      const count = counts.get(key);
      return count === undefined ? [] : [{ key, count }];
    }),
    unclear: foreign.filter((identity) => !isIts(identity)).map((identity) => virtualServerKey(identity)),
    adopted: identities.length - foreign.length,
  };
}
