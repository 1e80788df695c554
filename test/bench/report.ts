/** The numbers as tables for people. */

import { growthsOf } from './growth.ts';
import { peersTables } from './peers-report.ts';
import { profilesTables } from './profiles-report.ts';
import type { BenchResult } from './result.ts';
import { loadText, ms, sizeText, table, times } from './table.ts';

export function report(result: BenchResult): string {
  const tables = [
    coldTable,
    restartTable,
    changeTable,
    memoryTable,
    pausesTable,
    watchAloneTable,
    jsonAloneTable,
    trafficTable,
    filterTable,
    udpTable,
    latencyTable,
    directReturnTable,
  ];
  return [
    machineLines(result),
    ...tables.map((make) => make(result)),
    ...peersTables(result.peers),
    ...profilesTables(result.profiles),
    growthTable(result),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** What was measured on, and for how long. */
export function machineLines({ machine, rounds, seconds, hostLoad }: BenchResult): string {
  const kernel = `Linux ${machine.kernel}${machine.isUserMode ? ' (user-mode)' : ''}`;
  return [
    `${kernel}, ${machine.processors} × ${machine.processor}, ${machine.memoryMiB} MiB, Node ${machine.node}`,
    `one system call ${machine.systemCallMicroseconds.toFixed(1)} µs, first touch of a page ${machine.pageFaultMicroseconds.toFixed(1)} µs`,
    `${machine.ipvsadm}; medians of ${rounds} rounds; every process is fresh, nothing is warmed up before it`,
    ...(hostLoad === undefined ? [] : [loadText(hostLoad)]),
    ...(seconds === undefined || Object.keys(seconds).length === 0 ? [] : [timeText(seconds)]),
  ].join('\n');
}

function timeText(seconds: Readonly<Record<string, number>>): string {
  const each = Object.entries(seconds).map(([part, took]) => `${part} ${took.toFixed(0)} s`);
  const all = Object.values(seconds).reduce((sum, took) => sum + took, 0);
  return `it took ${all.toFixed(0)} s: ${each.join(', ')}`;
}

function directReturnTable({ directReturn }: BenchResult): string {
  if (directReturn === undefined) {
    return '';
  }
  const rows = (['masqueraded', 'direct'] as const).map((kind) => {
    const { shareThroughDirector, downloadMs, connectMicroseconds } = directReturn[kind];
    const { p50, p99 } = connectMicroseconds;
    return [kind, shareThroughDirector.toFixed(3), ms(downloadMs.p50), p50.toFixed(0), p99.toFixed(0)];
  });
  const head = ['answers', 'sent by the node : downloaded', 'download, ms', 'connect p50, µs', 'connect p99, µs'];
  return table(`Direct server return, a download of ${directReturn.megabytes} MB`, head, rows);
}

function coldTable({ cold }: BenchResult): string {
  const rows = cold.map(
    ({ size, vipMode, run, ipvsMs, ipvsadmMs, baselineMs, ratioToBaseline, ratioOfIpvs, ratioOfPass, steadyMs }) => [
      `${sizeText(size)} ${vipMode}`,
      ms(run.compileMs),
      ms(run.planMs),
      ms(ipvsMs.p50),
      ms(run.filterMs),
      ms(run.vipsMs),
      ms(run.executeMs - run.ipvsMs - run.filterMs - run.vipsMs),
      ms(run.passMs),
      ms(run.processMs),
      ms(ipvsadmMs.p50),
      times(ratioOfIpvs),
      times(ratioOfPass),
      ms(baselineMs.p50),
      times(ratioToBaseline),
      steadyMs === undefined ? '' : times(steadyMs.p50 / baselineMs.p50),
    ],
  );
  const head = [
    'compile',
    'plan',
    'IPVS',
    'nft',
    'VIPs',
    'settle',
    'pass',
    'process',
    'ipvsadm -R',
    ': IPVS',
    ': pass',
    'C, IPVS',
    'IPVS : C',
    'steady : C',
  ];
  return table('Cold programming, ms', ['Services × endpoints', ...head], rows);
}

function restartTable({ restart }: BenchResult): string {
  const rows = restart.map(({ size, vipMode, run, readAndPlanMs, ipvsadmMs, ratio, floorMs }) => [
    `${sizeText(size)} ${vipMode}`,
    ms(run.ipvsReadMs),
    ms(run.filterReadMs),
    ms(run.vipsReadMs),
    ms(run.planMs),
    ms(readAndPlanMs.p50),
    ms(readAndPlanMs.max),
    floorMs === undefined ? '' : ms(floorMs.p50),
    floorMs === undefined ? '' : times(readAndPlanMs.p50 / floorMs.p50),
    ms(ipvsadmMs.p50),
    times(ratio),
    ms(run.compileMs),
    ms(run.passMs),
    String(run.operations.ipvs + run.operations.filter + run.operations.vips),
  ]);
  const head = [
    'IPVS',
    'nft',
    'VIPs',
    'plan',
    'read + plan',
    'max',
    'C, IPVS',
    'of it',
    'ipvsadm -Sn',
    ': read + plan',
    'compile',
    'pass',
    'writes',
  ];
  return table('Restart on an unchanged table, ms', ['Services × endpoints', ...head], rows);
}

function changeTable({ change }: BenchResult): string {
  const rows = change.map(({ size, protocol, firstMs, eventMs, passMs }) => [
    `${sizeText(size)} ${protocol}`,
    String(eventMs.count),
    ms(eventMs.p50),
    ms(eventMs.p99),
    ms(eventMs.max),
    ms(passMs.p50),
    ms(passMs.p99),
    `${ms(firstMs.p99)} (${firstMs.count})`,
  ]);
  const head = ['changes', 'p50', 'p99', 'max', 'pass p50', 'pass p99', 'p99 of the first'];
  return table('One endpoint change, watch line to kernel ACK, ms', ['Services × endpoints', ...head], rows);
}

function memoryTable({ memory }: BenchResult): string {
  const rows = memory.map(({ size, afterStartMiB, afterChangesMiB, changes, peakMiB, startMs }) => [
    sizeText(size),
    afterStartMiB.toFixed(0),
    `${afterChangesMiB.toFixed(0)} (${changes})`,
    peakMiB.toFixed(0),
    ms(startMs),
  ]);
  const head = ['after start', 'after changes', 'peak', 'start to programmed, ms'];
  return table('Resident memory of the agent, MiB', ['Services × endpoints', ...head], rows);
}

function pausesTable({ pauses = [] }: BenchResult): string {
  const rows = pauses.map(({ size, act, events, tookMs, durationMs, cpuMs, busyMs, loadMs, writes, pauseMs }) => [
    `${sizeText(size)} ${act}`,
    events === 0 ? '' : String(events),
    ms(tookMs),
    loadMs === undefined ? '' : ms(loadMs),
    busyMs === undefined ? ms(cpuMs) : '',
    busyMs === undefined ? '' : ms(busyMs),
    events === 0 || busyMs === undefined ? '' : ms(busyMs / events),
    `${((100 * (busyMs ?? cpuMs)) / durationMs).toFixed(2)} %`,
    String(writes),
    pauseMs === undefined ? '' : ms(pauseMs.p99),
    pauseMs === undefined ? '' : ms(pauseMs.max),
  ]);
  const head = ['events', 'took', 'loading', 'CPU', 'busy', 'each', 'of a core', 'writes', 'pause p99', 'pause max'];
  return table('The agent as it is shipped, ms', ['Services × endpoints', ...head], rows);
}

function watchAloneTable({ watchAlone = [] }: BenchResult): string {
  const rows = watchAlone.map(({ size, what, longestPausesMs }) => [
    `${sizeText(size)} ${what}`,
    longestPausesMs.map(ms).join(', '),
  ]);
  const head = ['longest pause, each time'];
  return table('A program that watches the same and does nothing else, ms', ['Services × endpoints', ...head], rows);
}

function jsonAloneTable({ jsonAlone = [] }: BenchResult): string {
  // A few hundred objects are parsed before anybody looks twice.
  const seen = jsonAlone.filter(({ longestPauseMs }) => longestPauseMs.min > 0);
  const rows = seen.map(({ size, where, objects, tookMs, longestPauseMs, residentMiB }) => [
    `${sizeText(size)}, ${where}`,
    String(objects),
    ms(tookMs.p50),
    residentMiB.p50.toFixed(0),
    ms(longestPauseMs.min),
    ms(longestPauseMs.p50),
    ms(longestPauseMs.max),
  ]);
  const head = ['objects', 'took', 'memory, MiB', 'longest pause, least', 'median', 'most'];
  return table(
    'A program that parses the same JSON, keeps as many names, and does nothing else, ms',
    ['Services × endpoints', ...head],
    rows,
  );
}

function trafficTable({ traffic = [] }: BenchResult): string {
  const rows = traffic.map(({ size, act, connectMicroseconds, failedConnections, megabytesPerSecond, ...broken }) => [
    `${sizeText(size)} ${act}`,
    String(connectMicroseconds.count),
    String(failedConnections),
    connectMicroseconds.p50.toFixed(0),
    connectMicroseconds.p99.toFixed(0),
    connectMicroseconds.max.toFixed(0),
    megabytesPerSecond.toFixed(1),
    String(broken.brokenDownloads),
  ]);
  const head = ['connections', 'failed', 'p50, µs', 'p99, µs', 'max, µs', 'MB/s', 'broken'];
  return table('Clients outside meanwhile', ['Services × endpoints', ...head], rows);
}

function filterTable({ filter }: BenchResult): string {
  const rows = filter.map(({ size, elements, filterMs, ipvsMs, ratio }) => [
    sizeText(size),
    String(elements),
    ms(filterMs.p50),
    ((filterMs.p50 * 1_000) / elements).toFixed(1),
    ms(ipvsMs.p50),
    times(ratio),
  ]);
  const head = ['elements', 'nft', 'µs each', 'IPVS', 'nft : IPVS'];
  return table('Elements of nftables in a cold start, ms', ['Services × endpoints', ...head], rows);
}

function udpTable({ udp = [] }: BenchResult): string {
  const rows = udp.map(({ flows, goneMs, walkMs }) => [
    flows.toLocaleString('en'),
    ms(goneMs.p50),
    ms(goneMs.max),
    ms(walkMs.min),
    ms(walkMs.p50),
    ms(walkMs.max),
    ((walkMs.p50 * 1_000) / flows).toFixed(1),
  ]);
  const head = ['gone after', 'max', 'a walk, min', 'p50', 'max', 'µs each'];
  return table('UDP flows of an endpoint that is removed, ms', ['flows', ...head], rows);
}

function latencyTable({ latency }: BenchResult): string {
  const rows = latency.map(({ size, connectMicroseconds: { count, p50, p99, min } }) => [
    sizeText(size),
    String(count),
    min.toFixed(0),
    p50.toFixed(0),
    p99.toFixed(0),
  ]);
  return table('A new connection, µs', ['Services × endpoints', 'connections', 'min', 'p50', 'p99'], rows);
}

function growthTable(result: BenchResult): string {
  const rows = growthsOf(result).map(({ measure, series, from, to, exponent }) => [
    `${measure}: ${series}`,
    `${from.toLocaleString('en')}–${to.toLocaleString('en')}`,
    exponent.toFixed(2),
  ]);
  return table('How it grows with the number of Services: the exponent', ['', 'Services', 'exponent'], rows);
}
