/** What another service proxy left on this node. Reads only. */

import { ownershipKey } from '../../core/actual.ts';
import { filterElementKey, virtualServerKey } from '../../core/keys.ts';
import { type IptablesLeftovers, iptablesLeftovers } from '../../core/leftovers/iptables.ts';
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
  /** Of the proxy's VIPs, and not recorded as sluice's. */
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
  const servers = sortServers(ports, new Set(addresses));
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

function sortServers(
  { ipvs, filter }: LeftoverPorts,
  addresses: ReadonlySet<string>,
): {
  readonly leftover: readonly VirtualServerIdentity[];
  readonly unclear: readonly string[];
  readonly adopted: number;
} {
  const recorded = new Set((filter.dump(recordSets) ?? []).map((element) => filterElementKey(element)));
  const identities = ipvs.dump().map(({ server }) => server.identity);
  const foreign = identities.filter((identity) => !recorded.has(ownershipKey(identity)));
  const isLeft = (identity: VirtualServerIdentity): boolean =>
    identity.kind === 'address' && addresses.has(identity.address);
  return {
    leftover: foreign.filter((identity) => isLeft(identity)),
    unclear: foreign.filter((identity) => !isLeft(identity)).map((identity) => virtualServerKey(identity)),
    adopted: identities.length - foreign.length,
  };
}
