import { beforeEach, describe, expect, it } from 'vitest';
import { type Metrics, makeMetrics } from '../../../src/app/metrics/metrics.ts';
import { type ChangeWatch, watchChanges } from '../../../src/app/observe/change-watch.ts';
import { applyChanges, emptyFacts, type FactStore } from '../../../src/core/facts.ts';
import type { FactChange, ObjectFact } from '../../../src/core/model/facts.ts';
import { service, slice } from '../../support/facts.ts';
import { sets } from '../../support/node-ports.ts';

const start = Date.UTC(2026, 0, 1);
const both = ['IPv4', 'IPv6'] as const;

let now: number;
let facts: FactStore;
let metrics: Metrics;
let watch: ChangeWatch;

beforeEach(() => {
  now = start;
  facts = emptyFacts('node-a');
  const readProcess = () => ({ residentBytes: 0, cpuSeconds: 0, startTimeSeconds: 0 });
  metrics = makeMetrics({ version: 'test', readProcess });
  watch = watchChanges(metrics, now);
});

function arrive(...batch: readonly FactChange[]): void {
  watch.received(batch, facts, now);
  applyChanges(facts, batch);
}

function changed(triggeredAt: number | undefined, fields: Parameters<typeof slice>[1] = {}): ObjectFact {
  return { kind: 'EndpointSlice', fact: slice([], { triggeredAt, ...fields }) };
}

/** Count and sum of the samples of a family. */
function samples(family: string): string {
  const value = (name: string): string =>
    new RegExp(`^kubeproxy_network_programming_duration_seconds_${name}\\{ip_family="${family}"\\} (\\S+)`, 'm').exec(
      metrics.render(),
    )?.[1] ?? '0';
  return `${value('count')} ${value('sum')}`;
}

function shown(name: string): string {
  return new RegExp(`^kubeproxy_sync_proxy_rules_${name} (\\S+)`, 'm').exec(metrics.render())?.[1] ?? '';
}

describe('the time until a change is in force', () => {
  it('is taken once per changed slice, from the change in the cluster, in the family of the slice', () => {
    now = start + 3_000;
    arrive(...sets(changed(start + 1_000), changed(start + 2_000, { key: 'default/web-6', family: 'IPv6' })));
    watch.inForce(both, now);
    watch.inForce(both, now);
    expect([samples('IPv4'), samples('IPv6')]).toEqual(['1 2', '1 1']);
  });

  it('leaves out what was changed before the start, what says no time, and deletions', () => {
    arrive(...sets(changed(start - 1), changed(undefined, { key: 'default/web-2' })));
    arrive({ change: 'delete', kind: 'EndpointSlice', key: 'default/web-1' });
    watch.inForce(both, now);
    expect(samples('IPv4')).toBe('0 0');
  });

  it('is not taken again when a new list brings the same slice', () => {
    arrive(...sets(changed(start + 1)));
    watch.inForce(both, now);
    arrive({ change: 'replace', kind: 'EndpointSlice', facts: [changed(start + 1)] });
    watch.inForce(both, now);
    expect(samples('IPv4').split(' ')[0]).toBe('1');
  });

  it('counts from the first of several changes while they do not come into force', () => {
    arrive(...sets(changed(start + 1_000)));
    watch.inForce(['IPv6'], now);
    now = start + 9_000;
    arrive(...sets(changed(start + 8_000)));
    watch.inForce(['IPv4'], now);
    expect(samples('IPv4')).toBe('1 8');
  });

  it('is never negative, whatever the clock of the control plane says', () => {
    arrive(...sets(changed(start + 60_000)));
    watch.inForce(both, now);
    expect(samples('IPv4')).toBe('1 0');
  });
});

describe('the changes', () => {
  it('are counted as they arrive, and pend until they are in force in both families', () => {
    arrive(...sets({ kind: 'Service', fact: service() }, changed(undefined)));
    arrive({ change: 'delete', kind: 'Service', key: 'default/web' });
    expect([shown('service_changes_total'), shown('endpoint_changes_total')]).toEqual(['2', '1']);
    watch.inForce(['IPv4'], now);
    expect([shown('service_changes_pending'), shown('endpoint_changes_pending')]).toEqual(['2', '1']);
    watch.inForce(both, now);
    expect([shown('service_changes_pending'), shown('endpoint_changes_pending')]).toEqual(['0', '0']);
  });

  it('say when they were queued, each family by itself', () => {
    now = start + 5_000;
    arrive(...sets(changed(undefined)));
    expect(metrics.render()).toContain(`last_queued_timestamp_seconds{ip_family="IPv4"} ${now / 1000}\n`);
    expect(metrics.render()).not.toContain('last_queued_timestamp_seconds{ip_family="IPv6"}');
  });
});
