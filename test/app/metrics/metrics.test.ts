import { describe, expect, it } from 'vitest';
import { makeMetrics } from '../../../src/app/metrics/metrics.ts';
import { makeRegistry } from '../../../src/app/metrics/registry.ts';

describe('the registry', () => {
  it('writes a counter, a gauge and a histogram as Prometheus reads them', () => {
    const registry = makeRegistry();
    const counter = registry.counter({ name: 'c_total', help: 'Counts.', labels: ['b', 'a'] });
    const gauge = registry.gauge({ name: 'g', help: 'Now.', labels: [] });
    const histogram = registry.histogram({ name: 'h', help: 'Spread.', labels: ['x'] }, [0.5, 1]);
    counter.add({ a: '1', b: '2' });
    counter.add({ b: '2', a: '1' }, 2);
    gauge.set({}, -1.5);
    for (const value of [0.5, 0.6, 7]) {
      histogram.observe({ x: 'y' }, value);
    }
    expect(registry.render()).toBe(
      [
        '# HELP c_total Counts.',
        '# TYPE c_total counter',
        'c_total{b="2",a="1"} 3',
        '# HELP g Now.',
        '# TYPE g gauge',
        'g -1.5',
        '# HELP h Spread.',
        '# TYPE h histogram',
        'h_bucket{x="y",le="0.5"} 1',
        'h_bucket{x="y",le="1"} 2',
        'h_bucket{x="y",le="+Inf"} 3',
        'h_sum{x="y"} 8.1',
        'h_count{x="y"} 3',
        '',
      ].join('\n'),
    );
  });

  it('writes a histogram without labels', () => {
    const registry = makeRegistry();
    registry.histogram({ name: 'h', help: '', labels: [] }, [1]).observe({}, 2);
    expect(registry.render()).toContain('h_bucket{le="1"} 0\nh_bucket{le="+Inf"} 1\nh_sum 2\nh_count 1\n');
  });

  it('escapes label values and help', () => {
    const registry = makeRegistry();
    registry.gauge({ name: 'g', help: 'a\nb\\', labels: ['l'] }).set({ l: 'say "hi"\n\\' }, 1);
    expect(registry.render()).toContain(String.raw`# HELP g a\nb\\`);
    expect(registry.render()).toContain(String.raw`g{l="say \"hi\"\n\\"} 1`);
  });

  it('refuses a falling counter', () => {
    const counter = makeRegistry().counter({ name: 'c', help: '', labels: [] });
    expect(() => counter.add({}, -1)).toThrow(RangeError);
  });
});

describe('the metrics', () => {
  const metrics = makeMetrics({
    version: '1.2.3',
    readProcess: () => ({ residentBytes: 1024, cpuSeconds: 0.5, startTimeSeconds: 7 }),
  });

  it.each([
    'kubeproxy_sync_proxy_rules_duration_seconds histogram',
    'kubeproxy_sync_proxy_rules_last_timestamp_seconds gauge',
    'kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds gauge',
    'kubeproxy_network_programming_duration_seconds histogram',
    'kubeproxy_sync_proxy_rules_endpoint_changes_pending gauge',
    'kubeproxy_sync_proxy_rules_service_changes_pending gauge',
    'kubeproxy_sync_proxy_rules_endpoint_changes_total counter',
    'kubeproxy_sync_proxy_rules_service_changes_total counter',
    'kubeproxy_sync_proxy_rules_no_local_endpoints_total gauge',
    'kubeproxy_sync_proxy_rules_iptables_restore_failures_total counter',
    'kubeproxy_conntrack_reconciler_sync_duration_seconds histogram',
    'kubeproxy_conntrack_reconciler_deleted_entries_total counter',
    'kubeproxy_proxy_healthz_total counter',
    'kubeproxy_proxy_livez_total counter',
  ])('keep the name and type of %s', (declaration) => {
    expect(metrics.render()).toContain(`# TYPE ${declaration}\n`);
  });

  it('keep the buckets of kube-proxy', () => {
    metrics.syncDuration.observe({ ip_family: 'IPv4' }, 0);
    metrics.networkProgrammingDuration.observe({ ip_family: 'IPv6' }, 0);
    expect(bounds('kubeproxy_sync_proxy_rules_duration_seconds')).toEqual(
      '0.001 0.002 0.004 0.008 0.016 0.032 0.064 0.128 0.256 0.512 1.024 2.048 4.096 8.192 16.384 +Inf'.split(' '),
    );
    const programming = bounds('kubeproxy_network_programming_duration_seconds');
    expect(programming.slice(0, 4)).toEqual(['0.25', '0.5', '1', '2']);
    expect(programming.slice(60)).toEqual(
      '59 60 65 70 75 80 85 90 95 100 105 110 115 120 150 180 210 240 270 300 +Inf'.split(' '),
    );
  });

  it('start at zero where the labels are known', () => {
    expect(metrics.render()).toContain(
      'kubeproxy_sync_proxy_rules_iptables_restore_failures_total{ip_family="IPv6"} 0\n',
    );
    expect(metrics.render()).toContain('kubeproxy_proxy_healthz_total{code="503"} 0\n');
  });

  it('tell the version and what the process uses', () => {
    expect(metrics.render()).toContain('sluice_build_info{version="1.2.3"} 1\n');
    expect(metrics.render()).toContain('process_resident_memory_bytes 1024\n');
    expect(metrics.render()).toContain('# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 0.5\n');
  });

  it('are all in a form that a parser accepts', () => {
    const lines = metrics.render().trimEnd().split('\n');
    const form = /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="[^"]*",?)+\})? -?[\d.e+-]+)$/;
    expect(lines.filter((line) => !form.test(line))).toEqual([]);
  });

  function bounds(name: string): readonly string[] {
    const matches = metrics.render().matchAll(new RegExp(`^${name}_bucket\\{.*le="([^"]+)"`, 'gm'));
    return [...matches].map(([, bound]) => bound ?? '');
  }
});
