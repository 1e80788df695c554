import type { BenchResult, PeerMeasures, PeerResult, Timed } from './result.ts';
import { median, medianRecord } from './statistics.ts';
import { loadText, markdownTable, ms, sizeText, table, times } from './table.ts';

/** The proxies side by side, a table for each size; sluice comes first, the ratios are to it. */
export function peersTables(peers: readonly PeerResult[]): readonly string[] {
  return bySize(peers).map(([size, ofSize]) =>
    [table(`Beside other proxies, real API server, ${size}, ms`, head, rows(ofSize)), ...failures(ofSize)].join('\n'),
  );
}

/** The same for docs/performance.md. */
export function peersMarkdown({ machine, hostLoad, peers }: BenchResult): string {
  const kernel = `Linux ${machine.kernel}${machine.isUserMode ? ' as user-mode Linux' : ''}`;
  const calls = `a system call ${machine.systemCallMicroseconds.toFixed(0)} µs`;
  const load = hostLoad === undefined ? '' : `; ${loadText(hostLoad)}`;
  const tables = bySize(peers).map(([size, ofSize]) => `**${size}**, ms:\n\n${markdownTable(head, rows(ofSize))}`);
  return [`${kernel}, ${machine.memoryMiB} MiB, Node ${machine.node}, ${calls}${load}.`, ...tables].join('\n\n');
}

function bySize(peers: readonly PeerResult[]): readonly (readonly [string, readonly PeerResult[]])[] {
  const sizes = [...new Set(peers.map(({ size }) => sizeText(size)))];
  return sizes.map((text) => [text, peers.filter(({ size }) => sizeText(size) === text)]);
}

function rows(peers: readonly PeerResult[]): readonly (readonly string[])[] {
  const own = peers.find((peer) => peer.kind === 'measured' && peer.proxy === 'sluice');
  return peers.map((peer) => (peer.kind === 'failed' ? [peer.proxy, 'failed'] : row(peer, own)));
}

/** What was given up is longer than what was not. */
export function medianOf(all: readonly Timed[]): Timed | undefined {
  return all.length === 0 ? undefined : medianRecord(all, (each) => ('ms' in each ? each.ms : Infinity));
}

const head = [
  '',
  'cold',
  ': sluice',
  'CPU',
  'change',
  'max',
  'changes',
  ': sluice',
  'API answer',
  'added',
  'removed',
  'restart',
  'CPU',
  'MiB',
  'idle',
];

function row(peer: PeerMeasures, own: PeerResult | undefined): readonly string[] {
  const sluice = own?.kind === 'measured' ? own : undefined;
  const change = medianOf(peer.change);
  return [
    peer.proxy,
    timed(peer.cold),
    ratio(peer.cold, sluice?.cold),
    ms(peer.coldCpuMs),
    timed(change),
    timed(slowest(peer.change)),
    String(peer.change.length),
    ratio(change, medianOf(sluice?.change ?? [])),
    peer.answeredMs.length === 0 ? '' : ms(median(peer.answeredMs)),
    timed(medianOf(peer.added)),
    timed(medianOf(peer.removed)),
    timed(peer.restart?.took),
    peer.restart === undefined ? '' : ms(peer.restart.cpuMs),
    peer.residentMiB.toFixed(0),
    peer.idle === undefined ? '' : `${(peer.idle.cpuMs / peer.idle.seconds / 10).toFixed(2)} %`,
  ];
}

function timed(time: Timed | undefined): string {
  return time === undefined ? '' : 'ms' in time ? ms(time.ms) : `> ${ms(time.notWithinMs)}`;
}

function slowest(all: readonly Timed[]): Timed | undefined {
  const late = all.find((each) => !('ms' in each));
  const taken = all.flatMap((each) => ('ms' in each ? [each.ms] : []));
  return late ?? (taken.length === 0 ? undefined : { ms: Math.max(...taken) });
}

/** Nothing where sluice has no time; at least so much where the other was given up. */
function ratio(other: Timed | undefined, own: Timed | undefined): string {
  if (other === undefined || own === undefined || !('ms' in own)) {
    return '';
  }
  return 'ms' in other ? times(other.ms / own.ms) : `> ${times(other.notWithinMs / own.ms)}`;
}

function failures(peers: readonly PeerResult[]): readonly string[] {
  return peers.flatMap((peer) => (peer.kind === 'failed' ? [`${peer.proxy} failed: ${peer.reason}`] : []));
}
