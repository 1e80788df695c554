/** What the host should have set: the needs of the datapath, and what the configuration chooses. Pure. */

import type { Config, ConfigKey } from '../config/config.ts';
import { neededSysctls, type SysctlNeed } from './sysctls.ts';

export interface HostSetting extends SysctlNeed {
  /** A sysctl, a parameter of nf_conntrack, or a setting of this process. */
  readonly place: 'sysctl' | 'conntrack-module' | 'process';
  /** Whether more is as good. */
  readonly isMinimum?: boolean;
  /** `needed`: the datapath; `asked`: chosen by a person; `usual`: a default; `wish`: a default of no great weight. */
  readonly weight: 'needed' | 'asked' | 'usual' | 'wish';
}

/** `given`: which settings were chosen rather than left to their default. */
export function hostSettings(config: Config, given: ReadonlySet<ConfigKey>, cpus: number): readonly HostSetting[] {
  const weigh = (key: ConfigKey): HostSetting['weight'] => (given.has(key) ? 'asked' : 'usual');
  return [
    ...neededSysctls.map((need): HostSetting => ({ ...need, place: 'sysctl', weight: 'needed' })),
    ...conntrackSize(conntrackMax(config, cpus), given.has('conntrackMin') ? 'asked' : weigh('conntrackMaxPerCore')),
    ...conntrackTimes(config, weigh),
    ...strictARP(config),
    ...sloppyTCP(config),
    oomScore(config, given),
  ];
}

/** kube-proxy's own: with a cap since 1.36, so that a node of many CPUs does not spend its memory on the table. */
const largestTable = 1_048_576;

/** Entries of the connection tracking table; 0: as it is. */
export function conntrackMax(
  { conntrackMaxPerCore, conntrackMin }: Pick<Config, 'conntrackMaxPerCore' | 'conntrackMin'>,
  cpus: number,
): number {
  if (conntrackMaxPerCore === 0) {
    return 0;
  }
  const scaled = conntrackMaxPerCore * cpus;
  return scaled > largestTable ? largestTable : Math.max(scaled, conntrackMin);
}

function conntrackSize(entries: number, weight: HostSetting['weight']): readonly HostSetting[] {
  if (entries === 0) {
    return [];
  }
  return [
    sysctl('net.netfilter.nf_conntrack_max', entries, {
      why: 'connections are tracked up to this number; beyond it packets are dropped',
      weight,
    }),
    {
      place: 'conntrack-module',
      key: 'hashsize',
      value: String(Math.floor(entries / 4)),
      isMinimum: true,
      why: 'with fewer buckets a full connection tracking table is slow',
      // kube-proxy goes on without it too: some mount /sys read-only.
      weight: 'usual',
    },
  ];
}

interface Reason {
  readonly why: string;
  readonly weight: HostSetting['weight'];
}

function conntrackTimes(config: Config, weigh: (key: ConfigKey) => HostSetting['weight']): readonly HostSetting[] {
  const times = [
    ['tcp_timeout_established', 'conntrackTcpEstablishedMs', 'an idle established TCP connection is tracked so long'],
    ['tcp_timeout_close_wait', 'conntrackTcpCloseWaitMs', 'a TCP connection in CLOSE_WAIT is tracked so long'],
    ['udp_timeout', 'conntrackUdpMs', 'a UDP flow without an answer is tracked so long'],
    ['udp_timeout_stream', 'conntrackUdpStreamMs', 'a UDP flow with answers is tracked so long'],
  ] as const;
  const set = times
    .filter(([, key]) => config[key] > 0)
    .map(([name, key, why]) =>
      sysctl(`net.netfilter.nf_conntrack_${name}`, seconds(config[key]), { why, weight: weigh(key) }),
    );
  const liberal = sysctl('net.netfilter.nf_conntrack_tcp_be_liberal', 1, {
    why: 'TCP packets outside the window count as part of their connection',
    weight: weigh('conntrackTcpBeLiberal'),
  });
  return config.conntrackTcpBeLiberal ? [...set, liberal] : set;
}

function strictARP({ ipvsStrictARP }: Config): readonly HostSetting[] {
  const why = 'another host may own a VIP in the same network: no ARP for it from here';
  return ipvsStrictARP
    ? [
        sysctl('net.ipv4.conf.all.arp_ignore', 1, { why, weight: 'asked' }),
        sysctl('net.ipv4.conf.all.arp_announce', 2, { why, weight: 'asked' }),
      ]
    : [];
}

/** Of the masqueraded, such a flow is reset by its new endpoint, where it was refused before. */
function sloppyTCP({ directReturn }: Config): readonly HostSetting[] {
  const why = 'a flow that a router moves here goes on at the same endpoint (direct return with mh)';
  return directReturn ? [sysctl('net.ipv4.vs.sloppy_tcp', 1, { why, weight: 'usual' })] : [];
}

function oomScore({ oomScoreAdj }: Config, given: ReadonlySet<ConfigKey>): HostSetting {
  return {
    place: 'process',
    key: 'oom_score_adj',
    value: String(oomScoreAdj),
    why: 'when memory runs out others are ended first',
    // Lowering it takes CAP_SYS_RESOURCE, and the kubelet has given a low one to pods that the node depends on.
    weight: given.has('oomScoreAdj') ? 'usual' : 'wish',
  };
}

function sysctl(key: string, value: number, reason: Reason): HostSetting {
  return { place: 'sysctl', key, value: String(value), ...reason };
}

/** The kernel counts whole seconds; a part of one is rounded up, since 0 would end connections at once. */
export function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1_000);
}
