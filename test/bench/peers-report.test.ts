import { describe, expect, it } from 'vitest';
import { medianOf, peersTables } from './peers-report.ts';
import type { PeerMeasures, PeerResult, ProxyName } from './result.ts';

const size = { services: 100, endpoints: 10, family: 'IPv4' } as const;

function measured(proxy: ProxyName, part: Partial<PeerMeasures>): PeerResult {
  const nothing = { change: [], answeredMs: [], added: [], removed: [], idle: undefined, restart: undefined };
  return { kind: 'measured', proxy, size, cold: { ms: 1_000 }, coldCpuMs: 800, residentMiB: 60, ...nothing, ...part };
}

describe('the tables of the peers', () => {
  it('give each proxy a line with its ratios to sluice', () => {
    const [text = ''] = peersTables([
      measured('sluice', { change: [{ ms: 20 }], answeredMs: [15] }),
      measured('kube-proxy ipvs', { cold: { ms: 2_500 }, change: [{ ms: 600 }, { ms: 500 }, { ms: 700 }] }),
    ]);
    const line = text.split('\n').find((each) => each.includes('kube-proxy ipvs')) ?? '';
    expect(line.split('│').map((cell) => cell.trim())).toEqual(
      expect.arrayContaining(['2500', '2.5 ×', '600', '700', '30.0 ×']),
    );
  });

  it('say of what was given up that it takes longer than its bound', () => {
    const [text = ''] = peersTables([
      measured('sluice', {}),
      measured('kube-router', { cold: { notWithinMs: 60_000 } }),
    ]);
    expect(text).toContain('> 60000');
    expect(text).toContain('> 60.0 ×');
  });

  it('name a proxy that failed, with the reason, and go on with the others', () => {
    const failed: PeerResult = { kind: 'failed', proxy: 'kube-router', size, reason: 'no such interface' };
    const [text = ''] = peersTables([measured('sluice', {}), failed]);
    expect(text).toContain('kube-router failed: no such interface');
    expect(text).toContain('1000');
  });

  it('make a table for each size', () => {
    const larger = measured('sluice', { size: { ...size, services: 1_000 } });
    expect(peersTables([measured('sluice', {}), larger])).toHaveLength(2);
  });

  it('take what was late for longer than what was not', () => {
    expect(medianOf([{ notWithinMs: 5 }, { ms: 9 }, { ms: 7 }])).toEqual({ ms: 9 });
    expect(medianOf([{ notWithinMs: 5 }, { notWithinMs: 5 }, { ms: 7 }])).toEqual({ notWithinMs: 5 });
    expect(medianOf([])).toBeUndefined();
  });
});
