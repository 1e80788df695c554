/**
 * How what other service proxies leave on a node is called. Only names that a proxy alone gives count: what the kubelet
 * has (KUBE-FIREWALL, KUBE-KUBELET-CANARY, KUBE-IPTABLES-HINT, KUBE-MARK-DROP) and kube-router's network policies
 * (KUBE-POD-FW-*, KUBE-NWPLCY-*, KUBE-ROUTER-INPUT and the like) is none of them.
 */

/** The proxies whose leftovers sluice knows. */
export const otherProxies = ['kube-proxy', 'kube-router'] as const;
export type OtherProxy = (typeof otherProxies)[number];

/** Whose chain of iptables it is. */
export function chainOwner(name: string): OtherProxy | undefined {
  if (kubeRouterChains.has(name)) return 'kube-router';
  return kubeProxyChains.has(name) || serviceChain.test(name) ? 'kube-proxy' : undefined;
}

/** Whose ipset it is. */
export function ipsetOwner(name: string): OtherProxy | undefined {
  if (kubeRouterSets.has(name.replace(/^inet6:/, ''))) return 'kube-router';
  return kubeProxySets.has(name) ? 'kube-proxy' : undefined;
}

/** The interface on which a proxy keeps VIPs. */
export const proxyInterface: Readonly<Record<OtherProxy, string>> = {
  'kube-proxy': 'kube-ipvs0',
  'kube-router': 'kube-dummy-if',
};

/** kube-proxy's nftables table, in the families ip and ip6 (pkg/proxy/nftables/proxier.go). */
export const kubeProxyTable = 'kube-proxy';

// pkg/proxy/iptables/proxier.go and pkg/proxy/ipvs/proxier.go, of 1.36 and, where they had others, of older versions.
const kubeProxyChains: ReadonlySet<string> = new Set([
  'KUBE-SERVICES',
  'KUBE-EXTERNAL-SERVICES',
  'KUBE-NODEPORTS',
  'KUBE-POSTROUTING',
  'KUBE-MARK-MASQ',
  'KUBE-FORWARD',
  'KUBE-PROXY-FIREWALL',
  'KUBE-PROXY-CANARY',
  'KUBE-NODE-PORT',
  'KUBE-LOAD-BALANCER',
  'KUBE-SOURCE-RANGES-FIREWALL',
  'KUBE-IPVS-FILTER',
  'KUBE-IPVS-OUT-FILTER',
  'KUBE-FIRE-WALL',
]);

/** One per Service port, endpoint or policy: 16 characters of a hash in base32. */
const serviceChain = /^KUBE-(?:SVC|SVL|EXT|FW|SEP|XLB)-[A-Z2-7]{16}$/;

const kubeRouterChains: ReadonlySet<string> = new Set(['KUBE-ROUTER-HAIRPIN', 'KUBE-ROUTER-SERVICES']);

const kubeRouterSets: ReadonlySet<string> = new Set([
  'kube-router-local-ips',
  'kube-router-svip',
  'kube-router-svip-prt',
]);

// pkg/proxy/ipvs/proxier.go. The names of IPv6 are cut to the 31 characters that the kernel allows.
const kubeProxySets: ReadonlySet<string> = new Set(
  [
    'LOOP-BACK',
    'CLUSTER-IP',
    'EXTERNAL-IP',
    'EXTERNAL-IP-LOCAL',
    'LOAD-BALANCER',
    'LOAD-BALANCER-LOCAL',
    'LOAD-BALANCER-FW',
    'LOAD-BALANCER-SOURCE-CIDR',
    'LOAD-BALANCER-SOURCE-IP',
    'NODE-PORT-TCP',
    'NODE-PORT-LOCAL-TCP',
    'NODE-PORT-UDP',
    'NODE-PORT-LOCAL-UDP',
    'NODE-PORT-SCTP-HASH',
    'NODE-PORT-LOCAL-SCTP-HASH',
    'HEALTH-CHECK-NODE-PORT',
    'IPVS-IPS',
  ].flatMap((name) => [`KUBE-${name}`, `KUBE-6-${name}`.slice(0, 31)]),
);
