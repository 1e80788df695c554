/** The one table of flags. The command line, --help, docs/flags.md and /configz are all made from it. */

import type { VipMode } from '../../core/model/vip.ts';
import { schedulers } from '../../core/model/virtual-server.ts';
import { logFormats, logLevels } from './config.ts';
import { type Flag, flag } from './flag.ts';
import * as kinds from './value-kinds.ts';

const vipModes: readonly VipMode[] = ['address', 'route'];

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
    help: 'A folder of YAML or JSON manifests (Services, EndpointSlices, Nodes) in place of an API server. A changed file counts at once; a malformed one is reported and changes nothing.',
  }),
];

const node: readonly Flag[] = [
  flag('hostnameOverride', kinds.nodeName, {
    name: 'hostname-override',
    group: 'This node',
    origin: 'kube-proxy, kube-router',
    help: 'The name of our Node object, where it is not the host name in lower case. Local policies and hints depend on it.',
  }),
  flag('clusterCIDRs', kinds.cidrs, {
    name: 'cluster-cidr',
    group: 'This node',
    origin: 'kube-proxy',
    help: 'Where pods have their addresses. With it, a pod that calls a ClusterIP keeps its address and others are masqueraded, and Local policies can tell pods from clients outside.',
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
    help: 'How long a destination on its way out stays at weight 0 for the connections it has. It goes earlier when the last one ends. 0 drops them at once.',
  }),
  flag('ipvsSyncPeriodMs', kinds.duration(1_000), {
    name: 'ipvs-sync-period',
    group: 'Load balancing',
    origin: 'kube-proxy, kube-router',
    help: 'How often the kernel is read and compared with what is wanted. Changes do not wait for it. A change that is not in force after twice this time makes the node unhealthy.',
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
    help: 'The bits of the packet mark out of which Local policies take theirs. No other agent may set them on packets to VIPs, since IPVS compares the whole mark. Must not contain the masquerade mark.',
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
];

/** Every flag of the configuration, in the order of the help. */
export const flags: readonly Flag[] = [
  ...sources,
  ...node,
  ...balancing,
  ...vips,
  ...masquerade,
  ...watching,
  ...instead,
];
