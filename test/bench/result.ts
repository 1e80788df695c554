/** What the benchmark measured. Times are milliseconds unless the name says otherwise. */

import type { Family } from '../../src/core/model/facts.ts';
import type { VipMode } from '../../src/core/model/vip.ts';
import type { Summary } from './statistics.ts';

/** Services, each with so many endpoints, behind ClusterIPs of one family. */
export interface Size {
  readonly services: number;
  readonly endpoints: number;
  readonly family: Family;
}

/** What is measured inside, and how busy the host was meanwhile. */
export interface BenchResult extends LabResult {
  /** Processes that ran or wanted to, in the minute before the run and in its last one, the run's own included.
   * Undefined in results from before this was noted. */
  readonly hostLoad: { readonly before: number; readonly after: number } | undefined;
  /** Undefined where no profiles were taken. */
  readonly profiles?: readonly ProfileResult[] | undefined;
}

/** Where the time of processes went that did the same, by their CPU profiles: means of each. */
export interface ProfileResult {
  /** What they did, with a cluster of which size: the names of the files without the number. */
  readonly kind: string;
  readonly processes: number;
  /** Self time by the clock, the most first. */
  readonly groupsMs: Readonly<Record<string, number>>;
}

export interface LabResult {
  readonly machine: MachineFacts;
  readonly rounds: number;
  /** How long each part of the run took. Undefined in results from before this was noted. */
  readonly seconds?: Readonly<Record<string, number>> | undefined;
  readonly cold: readonly ColdResult[];
  readonly restart: readonly RestartResult[];
  readonly change: readonly ChangeResult[];
  readonly memory: readonly MemoryResult[];
  /** Undefined in results from before this was measured. */
  readonly pauses?: readonly PausesResult[] | undefined;
  /** Undefined in results from before this was measured. */
  readonly jsonAlone?: readonly JsonAloneResult[] | undefined;
  readonly watchAlone?: readonly WatchAloneResult[] | undefined;
  readonly traffic?: readonly TrafficResult[] | undefined;
  readonly filter: readonly FilterResult[];
  /** Undefined in results from before this was measured. */
  readonly udp?: readonly UdpResult[] | undefined;
  readonly latency: readonly LatencyResult[];
  /** Undefined: not measured. */
  readonly directReturn?: DirectReturnResult | undefined;
  readonly peers: readonly PeerResult[];
}

export interface MachineFacts {
  readonly kernel: string;
  /** Whether the kernel is user-mode Linux: system calls cost several times what they cost on hardware. */
  readonly isUserMode: boolean;
  readonly processor: string;
  readonly processors: number;
  readonly memoryMiB: number;
  readonly node: string;
  readonly ipvsadm: string;
  readonly systemCallMicroseconds: number;
  /** The first touch of a page. */
  readonly pageFaultMicroseconds: number;
}

/** One first pass of a fresh process. */
export interface StartRun {
  /** Objects of each kind that the pass wrote; all 0 when there was nothing to do. */
  readonly operations: { readonly ipvs: number; readonly filter: number; readonly vips: number };
  /** The whole pass, from reading the kernel to the last acknowledgement. */
  readonly passMs: number;
  readonly readMs: number;
  readonly compileMs: number;
  readonly planMs: number;
  readonly executeMs: number;
  /** Inside `executeMs`: from handing operations to the adapter to the kernel's last acknowledgement. */
  readonly ipvsMs: number;
  /** What `ipvsMs` would be with every piece as fast as the median one; of a restart 0. */
  readonly ipvsSteadyMs?: number;
  readonly filterMs: number;
  readonly vipsMs: number;
  /** Inside `readMs`. */
  readonly ipvsReadMs: number;
  readonly filterReadMs: number;
  readonly vipsReadMs: number;
  /** From the start of the process to the end of the pass, without making up the facts. */
  readonly processMs: number;
}

export interface ColdResult {
  readonly size: Size;
  readonly vipMode: VipMode;
  /** The median run by `passMs`, of fresh processes in fresh network namespaces. */
  readonly run: StartRun;
  readonly ipvsMs: Summary;
  /** Loading the very same table with `ipvsadm -R` in a fresh network namespace. */
  readonly ipvsadmMs: Summary;
  /** `ipvsadm -R` : the IPVS part of the pass. */
  readonly ratioOfIpvs: number;
  /** The same table in C: prepared messages in sends of 64 KiB, from the first send to the last acknowledgement. */
  readonly baselineMs: Summary;
  /** The IPVS part of the pass : the same in C. */
  readonly ratioToBaseline: number;
  /** What the IPVS part would take with every piece as fast as the median one: without the start of the compiler. */
  readonly steadyMs?: Summary;
  /** `ipvsadm -R` : the whole pass, which also compiles, plans, fills nftables and exposes the VIPs. */
  readonly ratioOfPass: number;
}

export interface RestartResult {
  readonly size: Size;
  readonly vipMode: VipMode;
  /** The median run by read and plan. */
  readonly run: StartRun;
  /** From the start of reading the kernel to knowing that nothing is to be done, without compiling. */
  readonly readAndPlanMs: Summary;
  /** Printing the very same table with `ipvsadm -Sn`. */
  readonly ipvsadmMs: Summary;
  /** `ipvsadm -Sn` : reading everything (IPVS, VIPs, nftables), adopting it and planning. */
  readonly ratio: number;
  /**
   * The same calls for the IPVS table in C, with nothing done about what they bring; undefined for IPv6, which they do
   * not show.
   */
  readonly floorMs: Summary | undefined;
}

export type ChangeProtocol = 'TCP' | 'UDP';

export interface ChangeResult {
  readonly size: Size;
  readonly protocol: ChangeProtocol;
  /** From writing the watch line to the socket, in another process, to the end of the pass. */
  readonly eventMs: Summary;
  /** The same of the changes before those. */
  readonly firstMs: Summary;
  /** Inside: from taking the change up to the end of the pass. */
  readonly passMs: Summary;
}

export interface MemoryResult {
  readonly size: Size;
  readonly afterStartMiB: number;
  readonly afterChangesMiB: number;
  readonly changes: number;
  readonly peakMiB: number;
  /** From starting the process to everything in the kernel. */
  readonly startMs: number;
}

/** What happens to an agent; the names are those in the tables. */
export type ActName =
  | 'cold start'
  | 'idle'
  | 'endpoint change'
  | 'Service added'
  | 'Service removed'
  | 'rolling update'
  | '1,000 changes/s'
  | 'restart';

/** One act in the life of the agent as it is shipped. */
export interface PausesResult {
  readonly size: Size;
  readonly act: ActName;
  /** What the API server told of; 0 where nothing changed. */
  readonly events: number;
  /** From an event to the kernel, the median of the repetitions; or from the first of many to the last in the kernel. */
  readonly tookMs: number;
  /** How long was looked. */
  readonly durationMs: number;
  /**
   * The agent's processor time in it, with all its threads. The kernel charges whole ticks of 4 ms to whoever runs when one
   * comes: what begins at a tick and is over before the next costs nothing, or a tick.
   */
  readonly cpuMs: number;
  /** How long its event loop did not wait, by the clock; undefined for a start, most of which comes before the loop. */
  readonly busyMs: number | undefined;
  /** Of a start: from the start of the process to its first connection to the API server. */
  readonly loadMs?: number;
  /** What the kernel carried out for it. */
  readonly writes: number;
  /**
   * From one turn of the event loop that was asked for to the next; of a start, once the program is loaded. Undefined where
   * nobody looked.
   */
  readonly pauseMs: { readonly p99: number; readonly max: number } | undefined;
}

/**
 * The event loop of a program that parses the JSON of the same cluster and keeps it, and as many names as the agent has of
 * what it programs, with the options of Node.js that the agent is shipped with and in slices as long, and does nothing else:
 * what a kernel leaves of it.
 */
export interface JsonAloneResult {
  readonly size: Size;
  /** The kernel of the machine that the test kernel runs on is the other one. */
  readonly where: 'test kernel' | 'host kernel';
  readonly objects: number;
  readonly tookMs: Summary;
  readonly longestPauseMs: Summary;
  readonly residentMiB: Summary;
}

/**
 * The event loop of a program that watches what the agent watches, beside the same API server and with the same options and
 * priority, parses it, keeps it under its name, and does nothing else.
 */
export interface WatchAloneResult {
  readonly size: Size;
  readonly what: 'list' | '1,000 changes/s';
  /** Of each time. */
  readonly longestPausesMs: readonly number[];
}

/** What clients outside notice of an act, with the agent as it is shipped. */
export interface TrafficResult {
  readonly size: Size;
  readonly act: ActName;
  /** connect(2) to ClusterIPs, masqueraded, one after the other. */
  readonly connectMicroseconds: Summary;
  readonly failedConnections: number;
  /** Of one download through the node while the same happens again. */
  readonly megabytesPerSecond: number;
  readonly brokenDownloads: number;
}

/** What nftables costs in a cold start, and IPVS in the same runs. */
export interface FilterResult {
  readonly size: Size;
  readonly elements: number;
  readonly filterMs: Summary;
  readonly ipvsMs: Summary;
  /** Filter : IPVS, the median of the runs. */
  readonly ratio: number;
}

/** UDP flows that another proxy translated, all of one endpoint. */
export interface UdpResult {
  readonly flows: number;
  /** From the endpoint's removal, as the API tells it, until they are gone. */
  readonly goneMs: Summary;
  /** One pass over all flows in which none is stale. */
  readonly walkMs: Summary;
}

export interface LatencyResult {
  readonly size: Size;
  /** connect(2) of a client outside to a ClusterIP, masqueraded, the Services taking turns. */
  readonly connectMicroseconds: Summary;
}

export interface DirectReturnResult {
  readonly megabytes: number;
  readonly direct: DirectReturnSample;
  readonly masqueraded: DirectReturnSample;
}

export interface DirectReturnSample {
  /** Bytes that the node sent out of its interface : bytes downloaded, the median of the rounds. */
  readonly shareThroughDirector: number;
  readonly downloadMs: Summary;
  /** connect(2) of a client outside. */
  readonly connectMicroseconds: Summary;
}

export type ProxyName = 'sluice' | 'kube-proxy ipvs' | 'kube-proxy nftables' | 'kube-router';

/** How long something took, or the bound after which it was given up. */
export type Timed = { readonly ms: number } | { readonly notWithinMs: number };

/** What one proxy did at one size, as seen from outside. */
export type PeerResult = PeerMeasures | PeerFailure;

export interface PeerMeasures {
  readonly kind: 'measured';
  readonly proxy: ProxyName;
  readonly size: Size;
  /** From the start of the process on an empty node to every Service with all endpoints in the kernel. */
  readonly cold: Timed;
  /** Processor time of the proxy and of what it started, until there is no more to do. */
  readonly coldCpuMs: number;
  /** From the write to the API server to the kernel: one endpoint of one Service. */
  readonly change: readonly Timed[];
  /** From the same writes to the API server's answer. */
  readonly answeredMs: readonly number[];
  /** From the write to the kernel: one Service with its endpoints. */
  readonly added: readonly Timed[];
  readonly removed: readonly Timed[];
  readonly residentMiB: number;
  /** Processor time while nothing changes; undefined where it was not measured. */
  readonly idle: { readonly cpuMs: number; readonly seconds: number } | undefined;
  /** From the start on a node that is programmed but for one endpoint to that endpoint in the kernel. */
  readonly restart: { readonly took: Timed; readonly cpuMs: number } | undefined;
}

export interface PeerFailure {
  readonly kind: 'failed';
  readonly proxy: ProxyName;
  readonly size: Size;
  readonly reason: string;
}
