/** Every metric there is. */

import type { Family } from '../../core/model/facts.ts';
import { families } from '../../core/model/facts.ts';
import { type KubeProxyMetrics, kubeProxyMetrics } from './kube-proxy-metrics.ts';
import { makeRegistry } from './registry.ts';
import { type SluiceMetrics, sluiceMetrics } from './sluice-metrics.ts';

export interface Metrics extends KubeProxyMetrics, SluiceMetrics {
  /** The text of /metrics. */
  readonly render: () => string;
  /** Called before each rendering, for values that are read rather than counted. */
  readonly beforeRender: (listener: () => void) => void;
}

/** What the process uses, read when /metrics is asked for. */
export interface ProcessReading {
  readonly residentBytes: number;
  readonly cpuSeconds: number;
  /** Unix seconds. */
  readonly startTimeSeconds: number;
}

export interface MetricsInput {
  readonly version: string;
  readonly readProcess: () => ProcessReading;
}

export function makeMetrics({ version, readProcess }: MetricsInput): Metrics {
  const registry = makeRegistry();
  const metrics = { ...kubeProxyMetrics(registry), ...sluiceMetrics(registry) };
  registry
    .gauge({ name: 'sluice_build_info', help: 'Always 1; the label tells the version.', labels: ['version'] })
    .set({ version }, 1);
  const resident = registry.gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory size in bytes.',
    labels: [],
  });
  const cpu = registry.counter({
    name: 'process_cpu_seconds_total',
    help: 'Total user and system CPU time spent in seconds.',
    labels: [],
  });
  const start = registry.gauge({
    name: 'process_start_time_seconds',
    help: 'Start time of the process since unix epoch in seconds.',
    labels: [],
  });
  let cpuSeconds = 0;
  registry.beforeRender(() => {
    const reading = readProcess();
    resident.set({}, reading.residentBytes);
    cpu.add({}, Math.max(0, reading.cpuSeconds - cpuSeconds));
    cpuSeconds = reading.cpuSeconds;
    start.set({}, reading.startTimeSeconds);
  });
  startAtZero(metrics);
  return { ...metrics, render: () => registry.render(), beforeRender: (listener) => registry.beforeRender(listener) };
}

/** Series whose labels are known appear at once, so that rates and alerts have a start. */
function startAtZero(metrics: KubeProxyMetrics): void {
  for (const ip_family of families satisfies readonly Family[]) {
    metrics.iptablesRestoreFailures.add({ ip_family }, 0);
    metrics.conntrackDeleted.add({ ip_family }, 0);
    for (const traffic_policy of ['internal', 'external']) {
      metrics.noLocalEndpoints.set({ traffic_policy, ip_family }, 0);
    }
  }
  for (const code of ['200', '503']) {
    metrics.healthzTotal.add({ code }, 0);
    metrics.livezTotal.add({ code }, 0);
  }
  metrics.endpointChangesPending.set({}, 0);
  metrics.serviceChangesPending.set({}, 0);
  metrics.endpointChanges.add({}, 0);
  metrics.serviceChanges.add({}, 0);
}
