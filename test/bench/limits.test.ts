import { describe, expect, it } from 'vitest';
import { growthOf, judge, judgeGuard } from './limits.ts';
import type { BenchResult, ChangeResult, ColdResult, PausesResult, PeerResult, ProxyName, Timed } from './result.ts';

const limits = {
  ipvsadmToIpvsPart: { atLeast: 10 },
  ipvsadmToWholePass: { atLeast: 2 },
  ipvsPartToBaseline: { atMost: 2 },
  restartToBaseline: { atMost: 5 },
  ipvsadmToRestart: { atLeast: 1 },
  changeP50SystemCalls: { atMost: 1_000 },
  changeP99SystemCalls: { atMost: 5_000 },
  changeLargestToSmallestP50: { atMost: 1.5 },
  residentMiB: { atMost: 256 },
  pauseMs: { atMost: 20 },
  idleShareOfCore: { atMost: 0.01 },
  idleWrites: { atMost: 0 },
  filterToIpvs: { atMost: 1 },
  udpFlowsGoneMs: { atMost: 1_000 },
  latencyLargestToSmallestP50: { atMost: 1.1 },
  fastestPeerToChange: { atLeast: 20 },
};

function change(services: number, p50: number): ChangeResult {
  const summary = { count: 1, min: p50, p50, p99: p50, max: p50 };
  const size = { services, endpoints: 10, family: 'IPv4' } as const;
  return { size, protocol: 'TCP', firstMs: summary, eventMs: summary, passMs: summary };
}

function result(part: Partial<BenchResult>): BenchResult {
  const machine = {
    kernel: '6.12.0',
    isUserMode: true,
    processor: '',
    processors: 1,
    memoryMiB: 1,
    node: '',
    ipvsadm: '',
    systemCallMicroseconds: 1,
    pageFaultMicroseconds: 1,
  };
  return {
    machine,
    rounds: 1,
    cold: [],
    restart: [],
    change: [],
    memory: [],
    filter: [],
    latency: [],
    hostLoad: { before: 0, after: 1 },
    peers: [],
    ...part,
  };
}

describe('the limits of the benchmark', () => {
  it('let pass what keeps them', () => {
    expect(judge(result({ change: [change(100, 0.8), change(10_000, 1)] }), limits)).toEqual([]);
  });

  it('name what exceeds them, with both numbers', () => {
    const memory = {
      afterStartMiB: 200,
      afterChangesMiB: 300.5,
      changes: 60,
      peakMiB: 310,
      startMs: 1,
    };
    const size = { services: 10_000, endpoints: 10, family: 'IPv4' } as const;
    expect(judge(result({ memory: [{ size, ...memory }] }), limits)).toEqual([
      'resident memory, MiB: expected at most 256, found 300.50',
    ]);
  });

  it('hold a change that grows with the table against the smallest table, whatever the order', () => {
    expect(growthOf([change(10_000, 0.9), change(100, 0.5)])).toEqual([1.8]);
    expect(judge(result({ change: [change(10_000, 0.9), change(100, 0.5)] }), limits)).toHaveLength(1);
  });

  it('hold a cold start where it is long enough to say something', () => {
    const run = {
      operations: { ipvs: 1, filter: 1, vips: 1 },
      passMs: 1,
      readMs: 1,
      compileMs: 1,
      planMs: 1,
      executeMs: 1,
      ipvsMs: 1,
      filterMs: 1,
      vipsMs: 1,
      ipvsReadMs: 1,
      filterReadMs: 1,
      vipsReadMs: 1,
      processMs: 1,
    };
    const ms = { count: 1, min: 1, p50: 1, p99: 1, max: 1 };
    const cold = (services: number, endpoints: number): ColdResult => ({
      size: { services, endpoints, family: 'IPv4' },
      vipMode: 'address',
      run,
      ipvsMs: ms,
      ipvsadmMs: ms,
      baselineMs: ms,
      ratioOfIpvs: 5,
      ratioToBaseline: 3,
      ratioOfPass: 1,
    });
    expect(judge(result({ cold: [cold(100, 10)] }), limits)).toEqual([]);
    expect(judge(result({ cold: [cold(50_000, 2)] }), limits)).toEqual([
      'ipvsadm -R : IPVS part: expected at least 10, found 5.00',
      'IPVS part : the same in C: expected at most 2, found 3.00',
    ]);
    expect(judge(result({ cold: [cold(1_000, 10)] }), limits)).toHaveLength(3);
  });

  it('hold the longest pause of each act, and what an agent does while nothing changes', () => {
    const size = { services: 100, endpoints: 10, family: 'IPv4' } as const;
    const act = { size, events: 0, tookMs: 1_000, durationMs: 1_000, cpuMs: 5, busyMs: 5, writes: 0 } as const;
    const pauses: readonly PausesResult[] = [
      { ...act, act: 'idle', pauseMs: undefined },
      { ...act, act: 'cold start', writes: 100, cpuMs: 900, pauseMs: { p99: 5, max: 20 } },
      { ...act, size: { ...size, services: 50_000 }, act: 'cold start', pauseMs: { p99: 5, max: 900 } },
    ];
    expect(judge(result({ pauses }), limits)).toEqual([]);
    const worse: readonly PausesResult[] = [
      { ...act, act: 'idle', busyMs: 20, writes: 1, pauseMs: undefined },
      { ...act, act: 'rolling update', pauseMs: { p99: 5, max: 31 } },
    ];
    expect(judge(result({ pauses: worse }), limits)).toEqual([
      'longest pause, rolling update, ms: expected at most 20, found 31.00',
      'idle, share of a core: expected at most 0.01, found 0.02',
      'idle, writes: expected at most 0, found 1.00',
    ]);
  });

  it('hold new connections through many Services against those through few, and nftables against IPVS', () => {
    const through = (services: number, p50: number) => ({
      size: { services, endpoints: 1, family: 'IPv4' } as const,
      connectMicroseconds: { count: 1, min: p50, p50, p99: p50, max: p50 },
    });
    expect(judge(result({ latency: [through(10_000, 108), through(10, 100)] }), limits)).toEqual([]);
    expect(judge(result({ latency: [through(10_000, 120), through(10, 100)] }), limits)).toEqual([
      'a new connection, most Services : fewest: expected at most 1.1, found 1.20',
    ]);
    const { size, connectMicroseconds: summary } = through(10, 1);
    const filter = [{ size, elements: 1, filterMs: summary, ipvsMs: summary, ratio: 2 }];
    expect(judge(result({ filter }), limits)).toEqual(['nftables : IPVS: expected at most 1, found 2.00']);
  });

  it('hold how long UDP flows outlive their endpoint, however many there are', () => {
    const flows = (goneMs: number) => {
      const summary = { count: 1, min: goneMs, p50: goneMs, p99: goneMs, max: goneMs };
      return result({ udp: [{ flows: 10_000, goneMs: summary, walkMs: summary }] });
    };
    expect(judge(flows(200), limits)).toEqual([]);
    expect(judge(flows(1_200), limits)).toEqual(['UDP flows gone, ms: expected at most 1000, found 1200.00']);
  });

  it('hold one change beside that of the fastest other proxy, at the most Services', () => {
    const peer = (proxy: ProxyName, services: number, changes: readonly Timed[]): PeerResult => {
      const size = { services, endpoints: 10, family: 'IPv4' } as const;
      const nothing = { answeredMs: [], added: [], removed: [], idle: undefined, restart: undefined };
      return {
        kind: 'measured',
        proxy,
        size,
        cold: { ms: 1 },
        coldCpuMs: 1,
        residentMiB: 1,
        change: changes,
        ...nothing,
      };
    };
    const few = [peer('sluice', 100, [{ ms: 10 }]), peer('kube-router', 100, [{ ms: 20 }])];
    const some = [peer('sluice', 1_000, [{ ms: 10 }]), peer('kube-router', 1_000, [{ ms: 20 }])];
    const many = [peer('sluice', 2_000, [{ ms: 10 }]), peer('kube-router', 2_000, [{ ms: 300 }])];
    expect(judge(result({ peers: few }), limits)).toEqual([]);
    expect(judge(result({ peers: [...few, ...some] }), limits)).toEqual([
      'one change, fastest peer : sluice: expected at least 20, found 2.00',
    ]);
    expect(judge(result({ peers: [...some, ...many] }), limits)).toEqual([]);
    const late = peer('kube-proxy ipvs', 2_000, [{ notWithinMs: 150 }]);
    expect(judge(result({ peers: [...many, late] }), limits)).toHaveLength(1);
  });

  it('hold the least of all repetitions against C in the part that runs beside other work', () => {
    const guard = {
      ipvsPartToBaseline: { atMost: 2 },
      restartToBaseline: { atMost: 5 },
      changeLeastSystemCalls: { atMost: 1_000 },
      changeLargestToSmallest: { atMost: 1.5 },
    };
    const changes = [change(100, 0.5), change(10_000, 0.7)];
    expect(judgeGuard(result({ change: changes }), guard)).toEqual([]);
    expect(judgeGuard(result({ change: [change(100, 0.5), change(10_000, 0.9)] }), guard)).toEqual([
      'one change, most Services : fewest, least: expected at most 1.5, found 1.80',
    ]);
    expect(judgeGuard(result({ change: [change(100, 2)] }), guard)).toEqual([
      'one change, least, system calls: expected at most 1000, found 2000.00',
    ]);
  });

  it('take a number that is none for an excess', () => {
    expect(judge(result({ change: [change(100, Number.NaN)] }), limits)).toHaveLength(2);
  });
});
