/** The one table of flags. The command line, --help, docs/flags.md and /configz are all made from it. */

import type { VipMode } from '../../core/model/vip.ts';
import { schedulers } from '../../core/model/virtual-server.ts';
import { detectLocalModes, logFormats, logLevels } from './config.ts';
import { type Flag, flag } from './flag.ts';
import { hostFlags } from './host-flags.ts';
import { podFlags } from './pod-flags.ts';
import { proxies } from './proxy-kind.ts';
import * as kinds from './value-kinds.ts';

const vipModes: readonly VipMode[] = ['address', 'route'];

const file: readonly Flag[] = [
  flag('configFile', kinds.path('FILE'), {
    name: 'config',
    group: 'Configuration file',
    origin: 'kube-proxy',
    help: "kube-proxy's KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1), in YAML or JSON. Flags whose setting the file has a field for do not count beside it, but --hostname-override, --log-level and --log-format do. When its content changes, sluice ends with an error, so that its restart reads it. See configuration.md.",
  }),
];

const sources: readonly Flag[] = [
  flag('kubeconfig', kinds.path('FILE'), {
    name: 'kubeconfig',
    group: 'Where Services come from',
    origin: 'kube-proxy, kube-router',
    help: 'How to reach the API server. Without it the service account of the pod is used.',
  }),
  flag('master', kinds.url, {
    name: 'master',
    group: 'Where Services come from',
    origin: 'kube-proxy, kube-router',
    help: 'The API server, whatever the kubeconfig says: useful where its usual address is itself a Service.',
  }),
  flag('manifests', kinds.path('DIR'), {
    name: 'manifests',
    group: 'Where Services come from',
    origin: 'sluice',
    help: 'A folder of YAML or JSON manifests (Services, EndpointSlices, Nodes, ServiceCIDRs) in place of an API server. A changed file counts at once; a malformed one is reported and changes nothing.',
  }),
  flag('lastKnownState', kinds.path('FILE'), {
    name: 'last-known-state',
    group: 'Where Services come from',
    origin: 'sluice',
    help: 'A file in which the state of the cluster is kept, at most once a minute. A node that starts again while the API server is away, with nothing programmed, programs what it says, without the pods that ran here, until the API server answers. Empty: such a node waits, since addresses may have changed hands meanwhile.',
  }),
  flag('lastKnownStateMaxAgeMs', kinds.duration(1_000), {
    name: 'last-known-state-max-age',
    group: 'Where Services come from',
    origin: 'sluice',
    help: 'How old that state may be to be used.',
  }),
];

const node: readonly Flag[] = [
  flag('hostnameOverride', kinds.nodeName, {
    name: 'hostname-override',
    group: 'This node',
    origin: 'kube-proxy, kube-router',
    help: 'The name of our Node object, where it is not the host name in lower case. Local policies and hints depend on it.',
  }),
  flag('bindAddress', kinds.nodeAddress, {
    name: 'bind-address',
    group: 'This node',
    origin: 'kube-proxy',
    help: "The node's own address, where it is not the one in its Node object: the source towards VIPs, and what primary means in --nodeport-addresses. Nothing listens on it, but with an IPv6 address, also ::, the servers listen on [::] and [::1] unless they are told otherwise. One that the node does not have is passed over.",
  }),
  flag('clusterCIDRs', kinds.cidrs, {
    name: 'cluster-cidr',
    group: 'This node',
    origin: 'kube-proxy',
    help: 'Where pods have their addresses. With it, a pod that calls a ClusterIP keeps its address and others are masqueraded, and Local policies can tell pods from clients outside.',
  }),
  flag('detectLocalMode', kinds.oneOf('MODE', detectLocalModes), {
    name: 'detect-local-mode',
    group: 'This node',
    origin: 'kube-proxy',
    help: 'What tells pods from other clients. ClusterCIDR: an address inside --cluster-cidr. NodeCIDR: one inside the podCIDRs of our Node, followed as they change. BridgeInterface and InterfaceNamePrefix: the interface that a packet comes in by.',
  }),
  flag('podBridgeInterface', kinds.podInterface(15), {
    name: 'pod-bridge-interface',
    group: 'This node',
    origin: 'kube-proxy',
    help: 'The bridge of the pods, for --detect-local-mode=BridgeInterface.',
  }),
  flag('podInterfaceNamePrefix', kinds.podInterface(14), {
    name: 'pod-interface-name-prefix',
    group: 'This node',
    origin: 'kube-proxy',
    help: 'What the names of all interfaces of pods begin with, for --detect-local-mode=InterfaceNamePrefix.',
  }),
  flag('serviceClusterIPRanges', kinds.cidrs, {
    name: 'service-cluster-ip-range',
    group: 'This node',
    origin: 'kube-router',
    help: 'Where ClusterIPs are, for API servers without ServiceCIDR objects, which count before it. An address inside that no Service has leads nowhere: packets to it are dropped.',
  }),
  flag('nodePortAddresses', kinds.nodePortAddresses, {
    name: 'nodeport-addresses',
    group: 'This node',
    origin: 'kube-proxy',
    help: "Which of the node's addresses serve node ports: those inside these CIDRs, or the Node object's own with primary. Without it all do, but loopback and IPv6 link-local.",
  }),
];

const balancing: readonly Flag[] = [
  flag('ipvsScheduler', kinds.oneOf('NAME', schedulers), {
    name: 'ipvs-scheduler',
    group: 'Load balancing',
    origin: 'kube-proxy',
    help: 'The scheduler of Services that name none in the annotation sluice.dev/scheduler or kube-router.io/service.scheduler. One of: '.concat(
      schedulers.join(' '),
      '.',
    ),
  }),
  flag('ipvsGracefulPeriodMs', kinds.duration(0), {
    name: 'ipvs-graceful-period',
    group: 'Load balancing',
    origin: 'kube-router',
    help: 'How long a destination on its way out stays at weight 0 for the connections it has, and a deleted Service for its established ones. It goes earlier when the last one ends. 0 drops them at once.',
  }),
  flag('ipvsSyncPeriodMs', kinds.duration(1_000), {
    name: 'ipvs-sync-period',
    group: 'Load balancing',
    origin: 'kube-proxy, kube-router',
    help: 'How often the kernel is read and compared with what is wanted. Changes do not wait for it. A change that is not in force after twice this time makes the node unhealthy. Unless given, a reading that takes longer than 150 ms comes less often, so that all of them take no more than 0.5 % of a core.',
  }),
  flag('ipvsMinSyncPeriodMs', kinds.duration(0), {
    name: 'ipvs-min-sync-period',
    group: 'Load balancing',
    origin: 'kube-proxy',
    help: 'How long a change waits at least for the end of the last sync. Changes in the meantime are carried out together. Not longer than --ipvs-sync-period.',
  }),
  flag('excludedCIDRs', kinds.cidrs, {
    name: 'excluded-cidrs',
    aliases: ['ipvs-exclude-cidrs'],
    group: 'Load balancing',
    origin: 'kube-proxy, kube-router',
    help: "Virtual servers with an address inside are left alone in any case, and no Service gets a VIP there. Others' virtual servers are left alone without it: sluice knows its own.",
  }),
];

const vips: readonly Flag[] = [
  flag('externalIPRanges', kinds.cidrs, {
    name: 'service-external-ip-range',
    group: 'VIPs',
    origin: 'kube-router',
    help: 'Where externalIPs may be. Others are programmed and reported, or refused with --strict-external-ip-validation. Addresses of Nodes, of the API server, of Services and of pods are refused in any case.',
  }),
  flag('loadBalancerIPRanges', kinds.cidrs, {
    name: 'loadbalancer-ip-range',
    group: 'VIPs',
    origin: 'kube-router',
    help: 'Where load-balancer IPs may be; the same for them. Without a range they are reported only when strict.',
  }),
  flag('strictExternalIPs', kinds.boolean, {
    name: 'strict-external-ip-validation',
    group: 'VIPs',
    origin: 'kube-router',
    help: 'Refuse externalIPs and load-balancer IPs outside these ranges; all of a kind for which no range is given.',
  }),
  flag('vipInterface', kinds.interfaceName, {
    name: 'vip-interface',
    group: 'VIPs',
    origin: 'sluice',
    help: 'The dummy interface that holds the VIPs. It is made if it is missing.',
  }),
  flag('vipMode', kinds.oneOf('MODE', vipModes), {
    name: 'vip-mode',
    group: 'VIPs',
    origin: 'sluice',
    help: 'address: each VIP is an address on the interface and a local route. route: the local route alone, which is much faster with thousands of VIPs, but ip address does not show them.',
  }),
];

const masquerade: readonly Flag[] = [
  flag('masqueradeAll', kinds.boolean, {
    name: 'masquerade-all',
    group: 'Masquerade and marks',
    origin: 'kube-proxy, kube-router',
    help: "Masquerade everything that is sent through a VIP. Pods then see the node's address instead of the client's.",
  }),
  flag('masqueradeMark', kinds.markBits('one'), {
    name: 'masquerade-mark',
    group: 'Masquerade and marks',
    origin: 'sluice',
    help: 'The bit of the packet mark that asks for masquerade.',
  }),
  flag('fwmarkMask', kinds.markBits('some'), {
    name: 'fwmark-mask',
    group: 'Masquerade and marks',
    origin: 'sluice',
    help: 'The bits of the packet mark out of which Local policies and direct return take theirs; all of them together bring packets to this node whose endpoints answer directly. No other agent may set them on packets to VIPs, since IPVS compares the whole mark. Must not contain the masquerade mark.',
  }),
  flag('directReturn', kinds.boolean, {
    name: 'direct-return',
    group: 'Direct server return',
    origin: 'sluice',
    help: 'Let endpoints of Services that are annotated with sluice.dev/dsr or kube-router.io/service.dsr answer clients outside themselves.',
  }),
];

const watching: readonly Flag[] = [
  flag('healthzBindAddress', kinds.bindAddress(10_256), {
    name: 'healthz-bind-address',
    group: 'Watching sluice',
    origin: 'kube-proxy',
    help: 'Where /healthz and /livez answer. Empty: nowhere.',
  }),
  flag('metricsBindAddress', kinds.bindAddress(10_249), {
    name: 'metrics-bind-address',
    group: 'Watching sluice',
    origin: 'kube-proxy',
    help: 'Where /metrics, /proxyMode and /configz answer. Empty: nowhere.',
  }),
  flag('bindAddressHardFail', kinds.boolean, {
    name: 'bind-address-hard-fail',
    group: 'Watching sluice',
    origin: 'kube-proxy',
    help: 'End with an error when one of these servers cannot listen. Otherwise it tries again every 5 s.',
  }),
  flag('healthPort', kinds.integer(0, 65_535), {
    name: 'health-port',
    group: 'Watching sluice',
    origin: 'kube-router',
    help: 'A further port where /healthz answers. kube-router has 20244; 0 is none.',
  }),
  flag('healthAddr', kinds.listenAddress, {
    name: 'health-addr',
    group: 'Watching sluice',
    origin: 'kube-router',
    help: 'Where --health-port listens. Empty: on every address.',
  }),
  flag('metricsPath', kinds.urlPath, {
    name: 'metrics-path',
    group: 'Watching sluice',
    origin: 'kube-router',
    help: 'A further path of the metrics page.',
  }),
  flag('logLevel', kinds.oneOf('LEVEL', logLevels), {
    name: 'log-level',
    group: 'Watching sluice',
    origin: 'sluice',
    help: 'error, warn, info, debug or trace. An idle node logs nothing at info.',
  }),
  flag('logFormat', kinds.oneOf('FORMAT', logFormats), {
    name: 'log-format',
    group: 'Watching sluice',
    origin: 'sluice',
    help: 'json for collectors, text for people.',
  }),
];

const instead: readonly Flag[] = [
  flag('cleanup', kinds.boolean, {
    name: 'cleanup-config',
    aliases: ['cleanup'],
    group: 'Instead of running',
    origin: 'kube-proxy, kube-router',
    help: 'The same as the command cleanup: remove everything that is ours from this node and exit.',
  }),
  flag('cleanupOf', proxies, {
    name: 'cleanup-of',
    group: 'Instead of running',
    origin: 'sluice',
    help: 'Other service proxies whose leftovers cleanup removes too, once they are stopped: kube-proxy, kube-router.',
  }),
  flag('initOnly', kinds.boolean, {
    name: 'init-only',
    group: 'Instead of running',
    origin: 'kube-proxy',
    help: 'Load modules, set the sysctls, and exit. After it run needs the capability NET_ADMIN and no other. Exits with 1 when something could not be set.',
  }),
];

/** Every flag of the configuration, in the order of the help. */
export const flags: readonly Flag[] = [
  ...file,
  ...sources,
  ...node,
  ...balancing,
  ...vips,
  ...masquerade,
  ...podFlags,
  ...hostFlags,
  ...watching,
  ...instead,
];
