/** Limits that a full run must keep: generous, so that what exceeds them is a regression and not a slow machine. */

import { readFile } from 'node:fs/promises';
import { medianOf } from './peers-report.ts';
import type { BenchResult, ChangeResult, ColdResult, LatencyResult, PausesResult, PeerResult, Size } from './result.ts';
import type { Summary } from './statistics.ts';

interface Limit {
  readonly atLeast?: number;
  readonly atMost?: number;
}

interface Limits {
  /** `ipvsadm -R` : the IPVS part of a cold pass, from 10,000 destinations on. */
  readonly ipvsadmToIpvsPart: Limit;
  readonly ipvsadmToWholePass: Limit;
  /** The IPVS part : the same table written by C, from 10,000 destinations on. */
  readonly ipvsPartToBaseline: Limit;
  /** Reading and planning of a restart : C making the same getsockopts. */
  readonly restartToBaseline: Limit;
  /** `ipvsadm -Sn` : read and plan of a restart. */
  readonly ipvsadmToRestart: Limit;
  /** One change in units of this machine's cheapest system call: on a busy machine both grow alike. */
  readonly changeP50SystemCalls: Limit;
  readonly changeP99SystemCalls: Limit;
  /** The median of the most Services : that of the fewest, of the same protocol. */
  readonly changeLargestToSmallestP50: Limit;
  readonly residentMiB: Limit;
  /** The longest that the event loop of the shipped agent stood still in any act, up to 10,000 Services. */
  readonly pauseMs: Limit;
  /** While nothing changes. */
  readonly idleShareOfCore: Limit;
  readonly idleWrites: Limit;
  /** The elements of nftables : the virtual servers and destinations, in a cold start. */
  readonly filterToIpvs: Limit;
  /** From an endpoint's removal until the last of its UDP flows is gone, however many there are. */
  readonly udpFlowsGoneMs: Limit;
  /** A new connection through the most Services : through the fewest, medians. */
  readonly latencyLargestToSmallestP50: Limit;
  /** One endpoint change at the most Services, from the write to the API server: the fastest peer : sluice. */
  readonly fastestPeerToChange: Limit;
}

/**
 * Limits of the part that `npm test` runs beside other work. They hold the least of all repetitions against each other:
 * what else the machine does only ever adds to a time.
 */
interface GuardLimits {
  readonly ipvsPartToBaseline: Limit;
  readonly restartToBaseline: Limit;
  readonly changeLeastSystemCalls: Limit;
  /** The least of the most Services : the least of the fewest, of the same protocol. */
  readonly changeLargestToSmallest: Limit;
}

/** A line for each limit that is exceeded. */
export async function exceededLimits(result: BenchResult, which: 'full' | 'guard'): Promise<readonly string[]> {
  const file = { full: './limits.json', guard: './guard-limits.json' }[which];
  const limits: unknown = JSON.parse(await readFile(new URL(file, import.meta.url), 'utf8'));
  // Committed beside this file.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return which === 'full' ? judge(result, limits as Limits) : judgeGuard(result, limits as GuardLimits);
}

export function judgeGuard(result: BenchResult, limits: GuardLimits): readonly string[] {
  const systemCallMs = result.machine.systemCallMicroseconds / 1_000;
  return [
    ...result.cold.flatMap(({ ipvsMs, baselineMs }) =>
      check('IPVS part : the same in C, least', ipvsMs.min / baselineMs.min, limits.ipvsPartToBaseline),
    ),
    ...result.restart.flatMap(({ readAndPlanMs, floorMs }) =>
      check('restart : C, least', readAndPlanMs.min / (floorMs?.min ?? Number.NaN), limits.restartToBaseline),
    ),
    ...result.change.flatMap(({ eventMs }) =>
      check('one change, least, system calls', eventMs.min / systemCallMs, limits.changeLeastSystemCalls),
    ),
    ...growthOf(result.change, ({ min }) => min).flatMap((growth) =>
      check('one change, most Services : fewest, least', growth, limits.changeLargestToSmallest),
    ),
  ];
}

export function judge(result: BenchResult, limits: Limits): readonly string[] {
  const systemCallMs = result.machine.systemCallMicroseconds / 1_000;
  return [
    ...judgeCold(result.cold, limits),
    ...result.restart.flatMap(({ ratio, readAndPlanMs, floorMs }) => [
      ...check('ipvsadm -Sn : restart', ratio, limits.ipvsadmToRestart),
      ...(floorMs === undefined ? [] : check('restart : C', readAndPlanMs.p50 / floorMs.p50, limits.restartToBaseline)),
    ]),
    ...result.change.flatMap(({ eventMs }) => [
      ...check('one change, p50, system calls', eventMs.p50 / systemCallMs, limits.changeP50SystemCalls),
      ...check('one change, p99, system calls', eventMs.p99 / systemCallMs, limits.changeP99SystemCalls),
    ]),
    ...growthOf(result.change).flatMap((growth) =>
      check('one change, most Services : fewest', growth, limits.changeLargestToSmallestP50),
    ),
    ...result.memory.flatMap(({ afterStartMiB, afterChangesMiB }) =>
      check('resident memory, MiB', Math.max(afterStartMiB, afterChangesMiB), limits.residentMiB),
    ),
    ...judgeActs(result.pauses ?? [], limits),
    ...result.filter.flatMap(({ ratio }) => check('nftables : IPVS', ratio, limits.filterToIpvs)),
    ...(result.udp ?? []).flatMap(({ goneMs }) => check('UDP flows gone, ms', goneMs.p50, limits.udpFlowsGoneMs)),
    ...latencyGrowth(result.latency).flatMap((growth) =>
      check('a new connection, most Services : fewest', growth, limits.latencyLargestToSmallestP50),
    ),
    ...fastestPeerToChange(result.peers).flatMap((ratio) =>
      check('one change, fastest peer : sluice', ratio, limits.fastestPeerToChange),
    ),
  ];
}

/** With fewer destinations the code is not compiled yet when the work is over. */
const fewestDestinations = 10_000;
/** With more Services the VIPs as addresses, quadratic in the kernel, are most of a pass, which is one pause. */
const mostServices = 10_000;

function judgeCold(cold: readonly ColdResult[], limits: Limits): readonly string[] {
  return cold
    .filter(({ size }) => size.services * size.endpoints >= fewestDestinations)
    .flatMap(({ size, ratioOfIpvs, ratioOfPass, ratioToBaseline }) => [
      ...check('ipvsadm -R : IPVS part', ratioOfIpvs, limits.ipvsadmToIpvsPart),
      ...(size.services > mostServices ? [] : check('ipvsadm -R : whole pass', ratioOfPass, limits.ipvsadmToWholePass)),
      ...check('IPVS part : the same in C', ratioToBaseline, limits.ipvsPartToBaseline),
    ]);
}

function judgeActs(acts: readonly PausesResult[], limits: Limits): readonly string[] {
  return [
    ...acts.flatMap(({ size, act, pauseMs }) =>
      pauseMs === undefined || size.services > mostServices
        ? []
        : check(`longest pause, ${act}, ms`, pauseMs.max, limits.pauseMs),
    ),
    ...acts
      .filter(({ act }) => act === 'idle')
      .flatMap(({ cpuMs, busyMs = cpuMs, durationMs, writes }) => [
        ...check('idle, share of a core', Math.max(cpuMs, busyMs) / durationMs, limits.idleShareOfCore),
        ...check('idle, writes', writes, limits.idleWrites),
      ]),
  ];
}

/** How a change, the median unless told otherwise, grows from the smallest to the largest table, for each protocol. */
export function growthOf(
  changes: readonly ChangeResult[],
  measure: (eventMs: Summary) => number = ({ p50 }) => p50,
): readonly number[] {
  return [...new Set(changes.map((change) => change.protocol))].flatMap((protocol) => {
    const [smallest, largest] = endsOf(changes.filter((change) => change.protocol === protocol));
    return smallest === undefined || largest === undefined
      ? []
      : [measure(largest.eventMs) / measure(smallest.eventMs)];
  });
}

/** None with less than two sizes. */
function endsOf<Measured extends { readonly size: Size }>(
  measured: readonly Measured[],
): readonly [] | readonly [smallest: Measured, largest: Measured] {
  const bySize = [...measured].sort((one, other) => one.size.services - other.size.services);
  const [smallest, largest] = [bySize[0], bySize.at(-1)];
  return smallest === undefined || largest === undefined || bySize.length < 2 ? [] : [smallest, largest];
}

/** None with less than two sizes. */
export function latencyGrowth(latencies: readonly LatencyResult[]): readonly number[] {
  const [smallest, largest] = endsOf(latencies);
  return smallest === undefined || largest === undefined
    ? []
    : [largest.connectMicroseconds.p50 / smallest.connectMicroseconds.p50];
}

/** With fewer Services the API server's own work is most of a change. */
const fewestToJudge = 1_000;

/** None where sluice or all others have no change at the largest size. What was given up counts with its bound. */
export function fastestPeerToChange(peers: readonly PeerResult[]): readonly number[] {
  const largest = Math.max(fewestToJudge, ...peers.map(({ size }) => size.services));
  const medians = peers.flatMap((peer) => {
    const change = peer.kind === 'measured' && peer.size.services === largest ? medianOf(peer.change) : undefined;
    return change === undefined ? [] : [{ proxy: peer.proxy, ms: 'ms' in change ? change.ms : change.notWithinMs }];
  });
  const own = medians.find(({ proxy }) => proxy === 'sluice');
  const others = medians.filter(({ proxy }) => proxy !== 'sluice').map(({ ms }) => ms);
  return own === undefined || others.length === 0 ? [] : [Math.min(...others) / own.ms];
}

function check(name: string, value: number, limit: Limit): readonly string[] {
  const { atLeast, atMost } = limit;
  if (atLeast !== undefined && !(value >= atLeast)) {
    return [`${name}: expected at least ${atLeast}, found ${value.toFixed(2)}`];
  }
  return atMost !== undefined && !(value <= atMost)
    ? [`${name}: expected at most ${atMost}, found ${value.toFixed(2)}`]
    : [];
}
