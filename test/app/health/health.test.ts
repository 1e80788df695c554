import { describe, expect, it } from 'vitest';
import {
  type Health,
  healthz,
  initialHealth,
  livez,
  queued,
  settled,
  started,
  updated,
  withNodeEligible,
} from '../../../src/app/health/health.ts';

const syncPeriodMs = 30_000;
const start = Date.UTC(2026, 0, 1);
const both = ['IPv4', 'IPv6'] as const;
const starting = withNodeEligible(started(initialHealth, both, start), true);
const running = updated(starting, both, start);

function statuses(health: Health, now: number): { healthz: number; livez: number } {
  return { healthz: healthz(health, now, syncPeriodMs).status, livez: livez(health, now, syncPeriodMs).status };
}

describe('health', () => {
  it('is good however long nothing happens', () => {
    expect(statuses(running, start + 86_400_000)).toEqual({ healthz: 200, livez: 200 });
  });

  it('is bad once a change has waited for twice the sync period', () => {
    const waiting = queued(running, both, start + 1_000);
    expect(statuses(waiting, start + 60_999)).toEqual({ healthz: 200, livez: 200 });
    expect(statuses(waiting, start + 61_000)).toEqual({ healthz: 503, livez: 503 });
  });

  it('counts from the oldest waiting change', () => {
    const waiting = queued(queued(running, both, start), both, start + 59_000);
    expect(statuses(waiting, start + 60_000).livez).toBe(503);
  });

  it('is good again after a pass that succeeded in every family', () => {
    const waiting = queued(running, both, start);
    expect(statuses(updated(waiting, ['IPv4'], start + 70_000), start + 70_000).livez).toBe(503);
    expect(statuses(updated(waiting, both, start + 70_000), start + 70_000).livez).toBe(200);
  });

  it('tells load balancers, but not the kubelet, that the node is on its way out', () => {
    expect(statuses(withNodeEligible(running, false), start)).toEqual({ healthz: 503, livez: 200 });
  });

  it('keeps traffic away until each family was in force once, and is alive', () => {
    const half = updated(starting, ['IPv6'], start + 1_000);
    expect(statuses(starting, start + 1_000)).toEqual({ healthz: 503, livez: 200 });
    expect(statuses(half, start + 1_000)).toEqual({ healthz: 503, livez: 200 });
    expect(JSON.parse(healthz(half, start + 2_000, syncPeriodMs).body)).toMatchObject({
      lastUpdated: '2026-01-01T00:00:01.000Z',
      nodeEligible: true,
      synced: false,
      healthy: true,
    });
    expect(JSON.parse(livez(half, start + 2_000, syncPeriodMs).body)).not.toHaveProperty('synced');
    expect(statuses(updated(half, ['IPv4'], start + 1_000), start + 1_000).healthz).toBe(200);
  });

  it('does not count as in force once what nothing had to be done for', () => {
    const waiting = settled(queued(starting, both, start), both);
    expect(statuses(waiting, start + 1_000)).toEqual({ healthz: 503, livez: 200 });
  });

  it('is in force once for as long as it runs', () => {
    const waiting = queued(running, both, start + 1_000);
    expect(statuses(waiting, start + 2_000)).toEqual({ healthz: 200, livez: 200 });
  });

  it('is alive but not eligible before anything has started', () => {
    expect(statuses(initialHealth, start)).toEqual({ healthz: 503, livez: 200 });
    expect(JSON.parse(healthz(initialHealth, start, syncPeriodMs).body)).toEqual({
      lastUpdated: '0001-01-01T00:00:00Z',
      currentTime: '2026-01-01T00:00:00.000Z',
      nodeEligible: false,
      synced: false,
      healthy: true,
      status: {},
    });
  });

  it('ignores a queued change of a family that is not served', () => {
    const single = started(initialHealth, ['IPv4'], start);
    expect(Object.keys(queued(single, both, start).families)).toEqual(['IPv4']);
  });

  it('writes the body of kube-proxy', () => {
    expect(healthz(running, start + 5_000, syncPeriodMs).body).toBe(
      '{"lastUpdated":"2026-01-01T00:00:05.000Z","currentTime":"2026-01-01T00:00:05.000Z","nodeEligible":true,"healthy":true,"status":{"IPv4":{"lastUpdated":"2026-01-01T00:00:00.000Z","healthy":true},"IPv6":{"lastUpdated":"2026-01-01T00:00:00.000Z","healthy":true}}}',
    );
  });

  it('shows the newest update and the family at fault when bad, and no eligibility on /livez', () => {
    const half = updated(queued(running, both, start + 1_000), ['IPv6'], start + 2_000);
    expect(JSON.parse(livez(half, start + 61_000, syncPeriodMs).body)).toEqual({
      lastUpdated: '2026-01-01T00:00:02.000Z',
      currentTime: '2026-01-01T00:01:01.000Z',
      healthy: false,
      status: {
        IPv4: { lastUpdated: '2026-01-01T00:00:00.000Z', healthy: false },
        IPv6: { lastUpdated: '2026-01-01T00:00:02.000Z', healthy: true },
      },
    });
  });

  it('leaves eligibility out of "healthy"', () => {
    const body: unknown = JSON.parse(healthz(withNodeEligible(running, false), start, syncPeriodMs).body);
    expect(body).toMatchObject({ nodeEligible: false, healthy: true });
  });
});
