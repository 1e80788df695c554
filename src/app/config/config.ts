import type { CIDR } from '../../core/address.ts';
import type { OtherProxy } from '../../core/leftovers/names.ts';
import type { VipMode } from '../../core/model/vip.ts';
import type { Scheduler } from '../../core/model/virtual-server.ts';

export const logLevels = ['error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof logLevels)[number];

export const logFormats = ['json', 'text'] as const;
export type LogFormat = (typeof logFormats)[number];

/** Where a server listens. */
export interface BindAddress {
  /** Canonical; '' means every address of both families. */
  readonly address: string;
  readonly port: number;
}

/** Which of the node's addresses serve node ports: all, the Node object's own, or those inside these CIDRs. */
export type NodePortAddresses = 'all' | 'primary' | readonly CIDR[];

/** How pods are told from other sources; kube-proxy's names. */
export const detectLocalModes = ['ClusterCIDR', 'NodeCIDR', 'BridgeInterface', 'InterfaceNamePrefix'] as const;
export type DetectLocalMode = (typeof detectLocalModes)[number];

/** Everything that can be chosen by flag, checked. One property per flag. */
export interface Config {
  /** Path of a KubeProxyConfiguration; undefined: flags alone count. */
  readonly configFile: string | undefined;
  /** Path of a kubeconfig file; undefined: the service account of the pod. */
  readonly kubeconfig: string | undefined;
  /** URL of the API server, instead of the one in the kubeconfig. */
  readonly master: string | undefined;
  /** Folder of manifests that takes the place of the API server. */
  readonly manifests: string | undefined;
  /** The name of our Node object; undefined: the host name in lower case. */
  readonly hostnameOverride: string | undefined;
  /** The address of this node that counts before the Node object's, in its family. Canonical; 0.0.0.0 and :: are none. */
  readonly bindAddress: string | undefined;
  /** Sources inside are pods; empty: pods cannot be told from others. */
  readonly clusterCIDRs: readonly CIDR[];
  readonly detectLocalMode: DetectLocalMode;
  /** With mode BridgeInterface. */
  readonly podBridgeInterface: string | undefined;
  /** With mode InterfaceNamePrefix. */
  readonly podInterfaceNamePrefix: string | undefined;
  /** Where ClusterIPs are, as long as the API server has no ServiceCIDR. */
  readonly serviceClusterIPRanges: readonly CIDR[];
  readonly nodePortAddresses: NodePortAddresses;
  readonly ipvsScheduler: Scheduler;
  /** Milliseconds between two audits of the kernel against what is wanted; also the measure of health. */
  readonly ipvsSyncPeriodMs: number;
  /** Least milliseconds between the end of one sync and the start of the next. */
  readonly ipvsMinSyncPeriodMs: number;
  /** Milliseconds that a destination on its way out may keep its connections. */
  readonly ipvsGracefulPeriodMs: number;
  /** Virtual servers with an address inside are never touched. */
  readonly excludedCIDRs: readonly CIDR[];
  /** Where externalIPs may be. */
  readonly externalIPRanges: readonly CIDR[];
  /** Where load-balancer IPs may be. */
  readonly loadBalancerIPRanges: readonly CIDR[];
  /** Refuse externalIPs and load-balancer IPs outside these ranges, instead of reporting them. */
  readonly strictExternalIPs: boolean;
  readonly vipInterface: string;
  readonly vipMode: VipMode;
  readonly masqueradeAll: boolean;
  /** One bit of the packet mark. */
  readonly masqueradeMark: number;
  /** The bits of the packet mark in which firewall marks of virtual servers are chosen. */
  readonly fwmarkMask: number;
  /** A file; undefined: none. */
  readonly lastKnownState: string | undefined;
  readonly lastKnownStateMaxAgeMs: number;
  /** Let endpoints of annotated Services answer clients outside themselves. */
  readonly directReturn: boolean;
  /** Socket of the container runtime; undefined: looked for. */
  readonly runtimeEndpoint: string | undefined;
  /** Before the paths of the socket and of network namespaces; '' is our own root. */
  readonly hostRoot: string;
  /** Folder of the records of prepared pods. */
  readonly podRecords: string;
  /** Undefined: no server. */
  readonly healthzBindAddress: BindAddress | undefined;
  /** Undefined: no server. */
  readonly metricsBindAddress: BindAddress | undefined;
  /** End with an error when a server cannot listen, instead of trying again. */
  readonly bindAddressHardFail: boolean;
  /** Port of a further /healthz, where kube-router has its own; 0: none. */
  readonly healthPort: number;
  /** Where that one listens, canonical; '' means every address. */
  readonly healthAddr: string;
  /** Path of the metrics page. */
  readonly metricsPath: string;
  /** Entries of the connection tracking table per CPU; 0: its size stays as it is. */
  readonly conntrackMaxPerCore: number;
  /** Least entries of the connection tracking table, whatever the number of CPUs. */
  readonly conntrackMin: number;
  /** Milliseconds; 0 here and in the next ones: as it is. */
  readonly conntrackTcpEstablishedMs: number;
  readonly conntrackTcpCloseWaitMs: number;
  readonly conntrackUdpMs: number;
  readonly conntrackUdpStreamMs: number;
  /** Out-of-window TCP packets count as part of their connection. False: as it is. */
  readonly conntrackTcpBeLiberal: boolean;
  /** Milliseconds that IPVS remembers an idle connection; 0: as it is. */
  readonly ipvsTcpTimeoutMs: number;
  readonly ipvsTcpFinTimeoutMs: number;
  readonly ipvsUdpTimeoutMs: number;
  /** Answer ARP only for addresses of the interface that is asked. False: as it is. */
  readonly ipvsStrictARP: boolean;
  /** Of this process, -1000 to 1000. */
  readonly oomScoreAdj: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Remove what is sluice's and exit, instead of running. */
  readonly cleanup: boolean;
  /** Other service proxies whose leftovers cleanup removes too. */
  readonly cleanupOf: readonly OtherProxy[];
  /** Do what needs more than NET_ADMIN and exit, instead of running. */
  readonly initOnly: boolean;
}

export type ConfigKey = keyof Config;
