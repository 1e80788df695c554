/** Flags of what is the host's rather than ours. kube-proxy sets the same things, with the same defaults. */

import { type Flag, flag } from './flag.ts';
import * as kinds from './value-kinds.ts';

const group = 'Settings of the host';
const largest = 2 ** 31 - 1;

const conntrack: readonly Flag[] = [
  flag('conntrackMaxPerCore', kinds.integer(0, largest), {
    name: 'conntrack-max-per-core',
    group,
    origin: 'kube-proxy',
    help: 'Connections that the kernel tracks at most, per CPU: net.netfilter.nf_conntrack_max, up to 1048576 in all. 0 leaves it as it is.',
  }),
  flag('conntrackMin', kinds.integer(0, largest), {
    name: 'conntrack-min',
    group,
    origin: 'kube-proxy',
    help: 'Connections that the kernel tracks at least, whatever the number of CPUs.',
  }),
  flag('conntrackTcpEstablishedMs', kinds.duration(0), {
    name: 'conntrack-tcp-timeout-established',
    group,
    origin: 'kube-proxy',
    help: 'How long an idle established TCP connection is tracked. 0 leaves it as it is.',
  }),
  flag('conntrackTcpCloseWaitMs', kinds.duration(0), {
    name: 'conntrack-tcp-timeout-close-wait',
    group,
    origin: 'kube-proxy',
    help: 'How long a TCP connection in the state CLOSE_WAIT is tracked. 0 leaves it as it is.',
  }),
  flag('conntrackTcpBeLiberal', kinds.boolean, {
    name: 'conntrack-tcp-be-liberal',
    group,
    origin: 'kube-proxy',
    help: 'Count TCP packets outside the window as part of their connection. Without it the setting stays as it is.',
  }),
  flag('conntrackUdpMs', kinds.duration(0), {
    name: 'conntrack-udp-timeout',
    group,
    origin: 'kube-proxy',
    help: 'How long a UDP flow without an answer is tracked. 0 leaves it as it is.',
  }),
  flag('conntrackUdpStreamMs', kinds.duration(0), {
    name: 'conntrack-udp-timeout-stream',
    group,
    origin: 'kube-proxy',
    help: 'How long a UDP flow with answers is tracked. 0 leaves it as it is.',
  }),
];

const ipvs: readonly Flag[] = [
  flag('ipvsTcpTimeoutMs', kinds.duration(0), {
    name: 'ipvs-tcp-timeout',
    aliases: ['service-tcp-timeout'],
    group,
    origin: 'kube-proxy, kube-router',
    help: 'How long IPVS remembers an idle TCP connection. The kernel starts with 15m. Of the whole host. 0 leaves it as it is.',
  }),
  flag('ipvsTcpFinTimeoutMs', kinds.duration(0), {
    name: 'ipvs-tcpfin-timeout',
    aliases: ['service-tcpfin-timeout'],
    group,
    origin: 'kube-proxy, kube-router',
    help: 'How long IPVS remembers a TCP connection after a FIN. The kernel starts with 2m. 0 leaves it as it is.',
  }),
  flag('ipvsUdpTimeoutMs', kinds.duration(0), {
    name: 'ipvs-udp-timeout',
    aliases: ['service-udp-timeout'],
    group,
    origin: 'kube-proxy, kube-router',
    help: 'How long IPVS remembers a UDP flow. The kernel starts with 5m. 0 leaves it as it is.',
  }),
  flag('ipvsStrictARP', kinds.boolean, {
    name: 'ipvs-strict-arp',
    group,
    origin: 'kube-proxy',
    help: 'Answer ARP only for addresses of the interface that is asked (arp_ignore 1, arp_announce 2), as MetalLB needs. Without it the settings stay as they are.',
  }),
];

export const hostFlags: readonly Flag[] = [
  ...conntrack,
  ...ipvs,
  flag('oomScoreAdj', kinds.integer(-1000, 1000), {
    name: 'oom-score-adj',
    group,
    origin: 'kube-proxy',
    help: 'How early the kernel ends this process when memory runs out: -1000 never, 1000 first.',
  }),
];
