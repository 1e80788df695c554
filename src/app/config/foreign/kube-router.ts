/** The table of kube-router's flags (2.11) that sluice does not have under the same name, or as an alias. */

import type { ForeignSetting, SettingType } from './foreign-setting.ts';
import { ignored, type Meaning, refused } from './meaning.ts';
import { bindOnAllAddresses, metricsAddr } from './translations.ts';

const leaveIt = 'Leave it to kube-router, run with --run-service-proxy=false';
const router = refused('sluice routes nothing and announces nothing', leaveIt, ['false']);
const firewall = refused('sluice enforces no network policy', leaveIt, ['false']);
const allocator = refused('sluice allocates no load-balancer IP', leaveIt, ['false']);
const bothFamilies = ignored('both families are always served', ['true']);

const proxy: readonly (readonly [flag: string, type: SettingType, meaning: Meaning])[] = [
  ['run-service-proxy', 'boolean', refused('sluice is nothing but the service proxy', 'Do not run sluice', ['true'])],
  ['hairpin-mode', 'boolean', ignored('a pod reaches itself through its Service in any case', ['true'])],
  [
    'ipvs-graceful-termination',
    'boolean',
    ignored('destinations always drain; --ipvs-graceful-period=0 drops them at once', ['true']),
  ],
  ['ipvs-permit-all', 'boolean', ignored('other ports of a VIP are refused in any case', ['true'])],
  ['nodeport-bindon-all-ip', 'boolean', bindOnAllAddresses],
  ['enable-ipv4', 'boolean', bothFamilies],
  ['enable-ipv6', 'boolean', bothFamilies],
  ['cache-sync-timeout', 'duration', ignored('sluice writes nothing before it has the lists, however long it takes')],
  ['metrics-addr', 'string', metricsAddr],
  ['enable-pprof', 'boolean', ignored('it belongs to the Go runtime', ['false'])],
  ['service-node-port-range', 'string', ignored('only network policies need it')],
  ['loadbalancer-default-class', 'boolean', ignored('sluice allocates no load-balancer IP')],
  ['loadbalancer-sync-period', 'duration', ignored('sluice allocates no load-balancer IP')],
  ['injected-routes-sync-period', 'duration', ignored('sluice injects no routes')],
  ['routes-sync-period', 'duration', ignored('sluice routes nothing')],
];

const others: readonly (readonly [flag: string, type: SettingType, meaning: Meaning])[] = [
  ['run-router', 'boolean', router],
  ['run-firewall', 'boolean', firewall],
  ['run-loadbalancer', 'boolean', allocator],
  ...['cluster-ip', 'external-ip', 'loadbalancer-ip', 'pod-cidr'].map(
    (what) => [`advertise-${what}`, 'boolean', router] as const,
  ),
  ...[
    'auto-mtu',
    'bgp-graceful-restart',
    'disable-source-dest-check',
    'enable-cni',
    'enable-ibgp',
    'enable-overlay',
    'enable-pod-egress',
    'nodes-full-mesh',
    'override-nexthop',
  ].map((flag) => [flag, 'boolean', router] as const),
  ...[
    'bgp-graceful-restart-deferral-time',
    'bgp-graceful-restart-time',
    'bgp-holdtime',
    'bgp-port',
    'cluster-asn',
    'overlay-encap',
    'overlay-encap-port',
    'overlay-type',
    'peer-router-asns',
    'peer-router-ips',
    'peer-router-multihop-ttl',
    'peer-router-passwords',
    'peer-router-passwords-file',
    'peer-router-ports',
    'router-id',
  ].map((flag) => [flag, 'string', router] as const),
];

export const kubeRouterSettings: readonly ForeignSetting[] = [...proxy, ...others].map(([flag, type, meaning]) => ({
  program: 'kube-router',
  flag,
  type,
  meaning,
}));
