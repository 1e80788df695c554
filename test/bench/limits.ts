/** Limits that a full run must keep: generous, so that what exceeds them is a regression and not a slow machine. */

import { readFile } from 'node:fs/promises';
import { medianOf } from './peers-report.ts';
import type { BenchResult, ChangeResult, LatencyResult, PeerResult } from './result.ts';

interface Limit {
  readonly atLeast?: number;
  readonly atMost?: number;
}

interface Limits {
  /** `ipvsadm -R` : the IPVS part of a cold pass, at every size. */
  readonly ipvsadmToIpvsPart: Limit;
  readonly ipvsadmToWholePass: Limit;
  /** `ipvsadm -Sn` : read and plan of a restart. */
  readonly ipvsadmToRestart: Limit;
  /** One change in units of this machine's cheapest system call: on a busy machine both grow alike. */
  readonly changeP50SystemCalls: Limit;
  readonly changeP99SystemCalls: Limit;
  /** The median of the most Services : that of the fewest, of the same protocol. */
  readonly changeLargestToSmallestP50: Limit;
  readonly residentMiB: Limit;
  /** The elements of nftables : the virtual servers and destinations, in a cold start. */
  readonly filterToIpvs: Limit;
  /** A new connection through the most Services : through the fewest, medians. */
  readonly latencyLargestToSmallestP50: Limit;
  /** One endpoint change at the most Services, from the write to the API server: the fastest peer : sluice. */
  readonly fastestPeerToChange: Limit;
}

/** A line for each limit that is exceeded. */
export async function exceededLimits(result: BenchResult): Promise<readonly string[]> {
  const text = await readFile(new URL('./limits.json', import.meta.url), 'utf8');
  // Committed beside this file.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return judge(result, JSON.parse(text) as Limits);
}

export function judge(result: BenchResult, limits: Limits): readonly string[] {
  const systemCallMs = result.machine.systemCallMicroseconds / 1_000;
  return [
    ...result.cold.flatMap(({ ratioOfIpvs, ratioOfPass }) => [
      ...check('ipvsadm -R : IPVS part', ratioOfIpvs, limits.ipvsadmToIpvsPart),
      ...check('ipvsadm -R : whole pass', ratioOfPass, limits.ipvsadmToWholePass),
    ]),
    ...result.restart.flatMap(({ ratio }) => check('ipvsadm -Sn : restart', ratio, limits.ipvsadmToRestart)),
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
    ...result.filter.flatMap(({ ratio }) => check('nftables : IPVS', ratio, limits.filterToIpvs)),
    ...latencyGrowth(result.latency).flatMap((growth) =>
      check('a new connection, most Services : fewest', growth, limits.latencyLargestToSmallestP50),
    ),
    ...fastestPeerToChange(result.peers).flatMap((ratio) =>
      check('one change, fastest peer : sluice', ratio, limits.fastestPeerToChange),
    ),
  ];
}

/** How the median grows from the smallest to the largest table, for each protocol. */
export function growthOf(changes: readonly ChangeResult[]): readonly number[] {
  return [...new Set(changes.map((change) => change.protocol))].flatMap((protocol) => {
    const bySize = changes
      .filter((change) => change.protocol === protocol)
      .sort((one, other) => one.size.services - other.size.services);
    const [smallest, largest] = [bySize[0], bySize.at(-1)];
    return smallest === undefined || largest === undefined || bySize.length < 2
      ? []
      : [largest.eventMs.p50 / smallest.eventMs.p50];
  });
}

/** None with less than two sizes. */
export function latencyGrowth(latencies: readonly LatencyResult[]): readonly number[] {
  const bySize = [...latencies].sort((one, other) => one.size.services - other.size.services);
  const [smallest, largest] = [bySize[0], bySize.at(-1)];
  return smallest === undefined || largest === undefined || bySize.length < 2
    ? []
    : [largest.connectMicroseconds.p50 / smallest.connectMicroseconds.p50];
}

/** None where sluice or all others have no change at the largest size. What was given up counts with its bound. */
export function fastestPeerToChange(peers: readonly PeerResult[]): readonly number[] {
  const largest = Math.max(...peers.map(({ size }) => size.services));
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
