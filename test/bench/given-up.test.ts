import { describe, expect, it } from 'vitest';
import { hasGivenUp } from './given-up.ts';
import type { PeerMeasures } from './result.ts';

const measured: PeerMeasures = {
  kind: 'measured',
  proxy: 'kube-router',
  size: { services: 100, endpoints: 10, family: 'IPv4' },
  cold: { ms: 1 },
  coldCpuMs: 1,
  change: [{ ms: 1 }],
  answeredMs: [1],
  added: [{ ms: 1 }],
  removed: [{ ms: 1 }],
  residentMiB: 1,
  idle: undefined,
  restart: { took: { ms: 1 }, cpuMs: 1 },
};
const late = { notWithinMs: 30_000 };

describe('a proxy', () => {
  it('is asked again at a larger size as long as it kept every bound', () => {
    expect(hasGivenUp(measured)).toBe(false);
    expect(hasGivenUp({ ...measured, change: [], added: [], removed: [], restart: undefined })).toBe(false);
  });

  it.each<Partial<PeerMeasures>>([
    { cold: late },
    { change: [{ ms: 1 }, late] },
    { added: [late] },
    { removed: [late] },
    { restart: { took: late, cpuMs: 1 } },
  ])('is not asked again after %o', (part) => {
    expect(hasGivenUp({ ...measured, ...part })).toBe(true);
  });

  it('is not asked again after a failure', () => {
    const { proxy, size } = measured;
    expect(hasGivenUp({ kind: 'failed', proxy, size, reason: 'it ended' })).toBe(true);
  });
});
