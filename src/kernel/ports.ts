import type { ActualVirtualServer, Expected } from '../core/actual.ts';
import type { Family } from '../core/model/facts.ts';
import type { FilterElement, SetName } from '../core/model/filter-element.ts';
import type { UdpFlow } from '../core/model/flow.ts';
import type { FilterOperation, IpvsOperation, VipOperation } from '../core/model/operation.ts';
import type { PodTunnel } from '../core/model/pod-tunnel.ts';
import type { VipMode, VipState } from '../core/model/vip.ts';
import type { DestinationState, VirtualServerIdentity, VirtualServerState } from '../core/model/virtual-server.ts';
import type { Steps } from '../core/steps.ts';
import type { KernelError } from './error.ts';

/**
 * What `apply` brings back. Operations that are not in `failures` succeeded.
 * `unknown` true: replies were lost (ENOBUFS), late or unreadable. The operations that they were about are in `failures`
 * too, with what went wrong: they may or may not be in force, which must be read again.
 */
export interface ApplyResult {
  readonly failures: readonly OperationFailure[];
  readonly unknown: boolean;
}

export interface OperationFailure {
  /** Index into the list that was applied. */
  readonly index: number;
  readonly error: KernelError;
}

/** The virtual servers that should be there. */
export type ExpectedServers = Pick<Expected, 'virtualServer' | 'eachVirtualServer'>;

/** The IPVS table of one network namespace, both families. */
export interface IpvsPort {
  /** Everything in the table, sluice's and others'. */
  dump(): readonly VirtualServerState[];
  /**
   * The same without counts, by `virtualServerKey`. A virtual server that is as `expected` is the expected object, so
   * that a table that is right takes no memory of its own. Between the steps the table may be written to, and `dumpDestinations`
   * be called: what is changed meanwhile is found as it was before or as it is then.
   */
  read(expected: ExpectedServers): Steps<Map<string, ActualVirtualServer>>;
  /** The identities of all virtual servers of firewall marks, sluice's and others'. */
  dumpMarks(): readonly VirtualServerIdentity[];
  /** Destinations of one virtual server with their connection counts; empty when it does not exist. */
  dumpDestinations(identity: VirtualServerIdentity): readonly DestinationState[];
  /**
   * In order; a failing operation does not stop the rest. Errors as the kernel has them:
   * EEXIST add of what exists; ESRCH no such virtual server; ENOENT no such destination, or add/edit of a virtual
   * server whose scheduler the kernel lacks; EINVAL bad address; ERANGE bad weight.
   */
  apply(operations: readonly IpvsOperation[]): ApplyResult;
  close(): void;
}

/** An address of this node that may carry node ports or be a route's source. */
export interface NodeAddress {
  readonly address: string;
  readonly interface: string;
  readonly prefixLength: number;
  readonly scope: 'global' | 'site' | 'link' | 'host';
}

/** The VIP interface with the VIPs on it, and the addresses of this node. */
export interface LinkPort {
  /** Makes the dummy interface if it is missing (marked as sluice's by its alias) and sets it up. */
  ensureInterface(): { readonly created: boolean };
  /**
   * Every address on the VIP interface (also others', except IPv6 link-local) and every local route of sluice's
   * route protocol. Empty when there is no interface.
   */
  dumpVips(): readonly VipState[];
  /**
   * The same by `vipKey` in steps, between which anything else may be asked for and done, as with `IpvsPort.read`. Takes the
   * least time when they are as expected.
   */
  readVips(eachExpected: Expected['eachVip']): Steps<Map<string, VipState>>;
  /** add-vip of a complete VIP and remove-vip of an absent one succeed. Other errors as the kernel has them. */
  apply(operations: readonly VipOperation[]): ApplyResult;
  /** Removes the interface if sluice made it and nothing else is on it, and what steered. */
  removeInterface(): 'removed' | 'absent' | 'not-ours' | 'in-use';
  /** All addresses of up and down interfaces but the VIP interface and those of other proxies, loopback included. */
  nodeAddresses(): readonly NodeAddress[];
  /** The same in steps, between which anything else may be asked for and done, but for `readVips`. */
  readNodeAddresses(): Steps<readonly NodeAddress[]>;
  /** The source the kernel would choose towards the default route; undefined without one. */
  defaultSource(family: 'IPv4' | 'IPv6'): string | undefined;
  /** The source the kernel would choose towards an address; undefined when no route leads there. */
  sourceTowards(address: string): string | undefined;
  /** The interface that packets to an address leave by; undefined when no route leads there. */
  interfaceTowards(address: string): string | undefined;
  /** Called after addresses of this network namespace came or went. Returns the way to stop. */
  onAddressChange(listener: AddressListener): () => void;
  close(): void;
}

/** `gone`: addresses that went from some interface, if only for a moment; undefined when that is not known. */
export type AddressListener = (gone: ReadonlySet<string> | undefined) => void;

export interface LinkOptions {
  readonly interfaceName: string;
  readonly mode: VipMode;
  /** The mark by which packets are brought to steered VIPs: all bits of the mask of firewall marks. */
  readonly steeringMark: number;
}

/** sluice's own nftables table. */
export interface FilterPort {
  /**
   * Loads the table's skeleton in one transaction, keeping the elements of sets that stay. Sets that another version made
   * with another type are made anew, with what can be understood of their elements; its other sets and chains go.
   * Idempotent.
   *
   * With `fillsFirst` a table of another version that only lacks sets gets these, and keeps its own sets and chains until the
   * next call: what the new chains go by can be there before them.
   */
  ensureTable(skeleton: FilterSkeleton, options?: { readonly fillsFirst?: boolean }): Promise<TableState>;
  /** Whether the table is there, with these sets in a form that can be understood. */
  holds(sets: readonly SetName[]): boolean;
  /** Every element of every set, or of those named; undefined when the table or one of them is missing or not legible. */
  dump(sets?: readonly SetName[]): readonly FilterElement[] | undefined;
  /**
   * Every element of every set by `filterElementKey`. One that is as expected is the expected object, but for
   * ranges of sources. Undefined when the table is missing. Between the steps anything else may be asked for and done, as
   * with `IpvsPort.read`.
   */
  read(eachExpected: Expected['eachElement']): Steps<Map<string, FilterElement> | undefined>;
  /**
   * One transaction. When the kernel refuses some operations these are left out and the rest is sent again,
   * so that a bad element stops nobody. add-element of what exists and remove-element of what does not, succeed;
   * add-element on `inside_view` with another mark replaces it.
   */
  apply(operations: readonly FilterOperation[]): ApplyResult;
  removeTable(): 'removed' | 'absent';
  close(): void;
}

/** `to-be-filled`: the sets are this version's, the chains another's. */
export type TableState = 'loaded' | 'to-be-filled';

/** What of the table's text depends on configuration. */
export interface FilterSkeleton {
  /**
   * The interface by which packets of pods come in: `cni0`, or `cali*` for all whose name begins so. Undefined: pods are
   * told by their address, which is in the set pod_sources.
   */
  readonly podInterface: string | undefined;
  /** One bit. */
  readonly masqueradeMark: number;
  /** The bits in which firewall marks of inside views are chosen; never the masquerade bit. */
  readonly fwmarkMask: number;
}

/** UDP flows in the kernel's connection tracking: those of the default zone. */
export interface ConntrackPort {
  /**
   * Every flow of a family, in pieces of a datagram each (up to 32 KiB), read as they are asked for. Flows come and go
   * meanwhile: one may be missed, none is listed twice. Throws KernelError.
   */
  flows(family: Family): Iterable<readonly UdpFlow[]>;
  /**
   * Deletes flows. ENOENT: there is no such flow any more, or one with another `id`, which stays.
   */
  remove(flows: readonly UdpFlow[]): ApplyResult;
  close(): void;
}

export interface SysctlPort {
  /** Trimmed value; undefined when the key does not exist. */
  read(key: string): string | undefined;
  /** EROFS, EACCES, ENOENT, EINVAL as KernelError. */
  write(key: string, value: string): void;
}

/** The network namespace of a pod on this node. */
export interface PodNamespace {
  /** `/run/netns/NAME` or `/proc/PID/ns/net`. */
  readonly path: string;
  /** From `identify`; a path may come to lead to another namespace. */
  readonly identity: string;
}

/** What a pod's namespace has of a tunnel. Plain data, so that it can be recorded. */
export interface PodTunnelReading {
  /** The pod's own interface: the one with the tunnel's address. Undefined: none has it. */
  readonly device: { readonly name: string; readonly arpIgnore: number; readonly arpAnnounce: number } | undefined;
  /** The interface that has the tunnel device's name. */
  readonly tunnel:
    | {
        /** `ipip`, `ip6tnl`; anything else is another's. */
        readonly kind: string;
        readonly local: string | undefined;
        readonly isUp: boolean;
        /** Of IPv4. */
        readonly rpFilter: number;
        /** sluice made it. */
        readonly isOurs: boolean;
        /** Of the tunnel's family, sorted. */
        readonly vips: readonly string[];
      }
    | undefined;
  /** Whether packets at the UDP port of GUE are unwrapped; undefined: was not asked, the encapsulation is another. */
  readonly gue: boolean | undefined;
}

/**
 * What direct server return needs inside pods. All of them throw KernelError: ENOENT the namespace is gone, ESTALE another
 * one is at its path, EPERM SYS_ADMIN is missing.
 */
export interface PodNetworkPort {
  /** Tells namespaces apart for as long as they live; undefined when there is none at the path. */
  identify(path: string): string | undefined;
  read(namespace: PodNamespace, tunnel: PodTunnel): PodTunnelReading;
  /**
   * Completes the tunnel, whatever half of it is there. VIPs that are neither wanted nor were there `before` go.
   * EADDRNOTAVAIL: no interface has the pod's address. EEXIST: another program's device has the name. EADDRINUSE: a
   * program of the pod has the UDP port of GUE.
   */
  ensure(namespace: PodNamespace, tunnel: PodTunnel, before: PodTunnelReading): void;
  /** Makes the namespace what it was `before`, but for what others changed since. */
  restore(namespace: PodNamespace, tunnel: PodTunnel, before: PodTunnelReading): void;
}

/** An interface of this node, and how strictly it checks that what comes in would be answered by it (IPv4). */
export interface ReversePathCheck {
  readonly index: number;
  readonly name: string;
  /** `net.ipv4.conf.NAME.rp_filter`: 0 none, 1 strict, 2 loose. */
  readonly value: number;
  /** `net.ipv4.conf.all.rp_filter`; the greater of the two counts. */
  readonly all: number;
}

/** The reverse-path checks of this network namespace. All of them throw KernelError. */
export interface ReversePathPort {
  /**
   * Of the interface by which packets to an address leave. Undefined: no route leads there, it is an address of the node,
   * or only the default route leads there, which is the way to everybody else too.
   */
  towards(address: string): ReversePathCheck | undefined;
  /** Undefined when the interface is gone, or another one has its number. */
  read(link: Pick<ReversePathCheck, 'index' | 'name'>): ReversePathCheck | undefined;
  /** ENODEV: it is gone. */
  set(index: number, value: number): void;
}
