import type { CIDR } from '../address.ts';
import type { Family } from './facts.ts';
import type { PodTunnelState } from './pod-tunnel.ts';
import type { Scheduler } from './virtual-server.ts';

/** Where this node stands in the topology. */
export interface NodePlace {
  readonly name: string;
  /** '' when the Node has no zone label. */
  readonly zone: string;
}

export interface SchedulerSupport {
  readonly defaultScheduler: Scheduler;
  /** What the running kernel has. */
  readonly available: ReadonlySet<Scheduler>;
}

/** What an externalIP or a load-balancer IP may be, as configured. */
export interface AddressRules {
  /** Where the API server is asked: ports by address. Its endpoints come from its Service besides. */
  readonly apiServers: ReadonlyMap<string, ReadonlySet<number>>;
  /** Where pods have their addresses; each Node's podCIDRs come from the Node besides. */
  readonly podCIDRs: readonly CIDR[];
  /** Other load balancers' own: no Service is programmed at an address inside. */
  readonly excludedCIDRs: readonly CIDR[];
  readonly externalIPRanges: readonly CIDR[];
  readonly loadBalancerIPRanges: readonly CIDR[];
  /** Whether an address in none of its ranges is refused, and not only reported. */
  readonly isStrict: boolean;
}

/** All that compilation needs to know besides the Service: this node and the configuration. */
export interface CompileContext {
  readonly node: NodePlace;
  /** The node's own address per family, the source of traffic from the node to a VIP. */
  readonly sources: Readonly<Record<Family, string | undefined>>;
  /** Every address of this node, by the kernel or by its Node: a VIP among them is neither bound nor guarded. */
  readonly nodeAddresses: ReadonlySet<string>;
  /** The broadcast addresses of this node's networks. */
  readonly broadcastAddresses: ReadonlySet<string>;
  /** Where the cluster's ClusterIPs are; empty when that is not known. */
  readonly serviceCIDRs: readonly CIDR[];
  readonly addressRules: AddressRules;
  /** The addresses that serve node ports. */
  readonly nodePortAddresses: readonly string[];
  /** Where servers for `healthCheckNodePort` listen; one that stands for all addresses is `0.0.0.0` or `::`. */
  readonly healthCheckAddresses: readonly string[];
  /** Ports that the agent itself listens on, and what for: no health check can have them. */
  readonly reservedPorts: ReadonlyMap<number, string>;
  readonly masqueradeAll: boolean;
  /** Whether pods can be told from other sources. */
  readonly detectsLocal: Readonly<Record<Family, boolean>>;
  /** Sources that are pods; empty where they are told by their interface, or not at all. */
  readonly podSources: readonly CIDR[];
  readonly schedulers: SchedulerSupport;
  /** Whether Services may have direct server return on this node. */
  readonly hasDirectReturn: boolean;
  /** By pod address: how far the pods of this node are that answer directly. */
  readonly podTunnels: ReadonlyMap<string, PodTunnelState>;
}
