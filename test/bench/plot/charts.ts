/** Which diagrams a run gives. */

import { medianOf } from '../peers-report.ts';
import type { BenchResult, PeerMeasures, Size, Timed } from '../result.ts';
import type { Chart, Point, Series } from './chart.ts';

/** Those that have something to show. Sizes of other than ten endpoints or of IPv6 are in no series of the usual ones. */
export function chartsOf(result: BenchResult): readonly Chart[] {
  return [
    ...peerCharts(result),
    chart('Programming the IPVS table from empty', 'ms', coldSeries(result)),
    chart('One endpoint change, watch line to kernel', 'ms', changeSeries(result)),
    chart('A new connection through the node', 'µs, median', latencySeries(result)),
    chart('Resident memory of the agent after changes', 'MiB', memorySeries(result)),
    chart('The agent as it is shipped', 'ms', actSeries(result)),
    chart('Longest pause of its event loop', 'ms', pauseSeries(result)),
  ].filter(({ series }) => series.length > 0);
}

function peerCharts({ peers }: BenchResult): readonly Chart[] {
  const measured = peers.filter((peer) => peer.kind === 'measured');
  const of = (measure: (peer: PeerMeasures) => Point['y'] | Timed | undefined): readonly Series[] =>
    seriesBy(
      measured,
      ({ proxy }) => proxy,
      (peer) => pointOf(peer.size, measure(peer)),
    );
  return [
    chart(
      'Cold start beside other proxies, real API server',
      'ms',
      of(({ cold }) => cold),
    ),
    chart(
      'One endpoint change, from the write to the API server',
      'ms, median',
      of(({ change }) => medianOf(change)),
    ),
    chart(
      'Restart with one change to catch up with',
      'ms',
      of(({ restart }) => restart?.took),
    ),
    chart(
      'Resident memory',
      'MiB',
      of(({ residentMiB }) => residentMiB),
    ),
  ];
}

function coldSeries({ cold }: BenchResult): readonly Series[] {
  const rows = cold.filter(({ size, vipMode }) => isUsual(size) && vipMode === 'address');
  const one = (name: string, measure: (row: (typeof rows)[number]) => number): readonly Series[] =>
    seriesBy(
      rows,
      () => name,
      (row) => pointOf(row.size, measure(row)),
    );
  return [
    ...one('sluice, IPVS part', ({ ipvsMs }) => ipvsMs.p50),
    ...one('sluice, whole pass', ({ run }) => run.passMs),
    ...one('ipvsadm -R', ({ ipvsadmMs }) => ipvsadmMs.p50),
    ...one('C', ({ baselineMs }) => baselineMs.p50),
  ];
}

function changeSeries({ change }: BenchResult): readonly Series[] {
  const of = (percentile: 'p50' | 'p99') =>
    seriesBy(
      change,
      ({ protocol }) => `${protocol}, ${percentile}`,
      ({ size, eventMs }) => pointOf(size, eventMs[percentile]),
    );
  return [...of('p50'), ...of('p99')];
}

function latencySeries({ latency }: BenchResult): readonly Series[] {
  return seriesBy(
    latency,
    () => 'connect(2)',
    ({ size, connectMicroseconds }) => pointOf(size, connectMicroseconds.p50),
  );
}

function memorySeries({ memory }: BenchResult): readonly Series[] {
  return seriesBy(
    memory,
    () => 'sluice',
    ({ size, afterChangesMiB }) => pointOf(size, afterChangesMiB),
  );
}

function actSeries({ pauses = [] }: BenchResult): readonly Series[] {
  const acts = pauses.filter(({ act, size }) => isUsual(size) && act !== 'idle' && act !== '1,000 changes/s');
  return seriesBy(
    acts,
    ({ act }) => act,
    ({ size, tookMs }) => pointOf(size, tookMs),
  );
}

function pauseSeries({ pauses = [] }: BenchResult): readonly Series[] {
  return seriesBy(
    pauses.filter(({ size }) => isUsual(size)),
    ({ act }) => act,
    ({ size, pauseMs }) => pointOf(size, pauseMs?.max),
  );
}

function chart(title: string, yTitle: string, series: readonly Series[]): Chart {
  return { title, xTitle: 'Services', yTitle, series };
}

/** In the order in which the names appear, from few Services to many; without series that have no point. */
function seriesBy<Row>(
  rows: readonly Row[],
  name: (row: Row) => string,
  point: (row: Row) => Point | undefined,
): readonly Series[] {
  return [...new Set(rows.map(name))]
    .map((each) => {
      const points = rows.filter((row) => name(row) === each).map(point);
      const known = points.filter((one) => one !== undefined);
      return { name: each, points: [...known].sort((one, other) => one.x - other.x) };
    })
    .filter(({ points }) => points.length > 0);
}

function pointOf({ services }: Size, value: number | Timed | undefined): Point | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (typeof value === 'number') {
    return { x: services, y: value };
  }
  return 'ms' in value ? { x: services, y: value.ms } : { x: services, y: value.notWithinMs, isBound: true };
}

function isUsual({ endpoints, family }: Size): boolean {
  return endpoints === 10 && family === 'IPv4';
}
