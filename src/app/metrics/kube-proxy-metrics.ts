/**
 * kube-proxy's metrics as its IPVS mode registers them (pkg/proxy/metrics/metrics.go). Names, labels and buckets are
 * kept because dashboards and alerts use them.
 */

import { exponentialBuckets, linearBuckets } from './buckets.ts';
import type { Counter, Gauge, Histogram, Registry } from './registry.ts';

type ByFamily = 'ip_family';

export interface KubeProxyMetrics {
  /** One sample per pass and family, in seconds. */
  readonly syncDuration: Histogram<ByFamily>;
  /** Unix seconds. */
  readonly lastSync: Gauge<ByFamily>;
  /** Unix seconds. */
  readonly lastQueued: Gauge<ByFamily>;
  /** Seconds from the change in the cluster to its being in force; one sample per changed EndpointSlice. */
  readonly networkProgrammingDuration: Histogram<ByFamily>;
  readonly endpointChangesPending: Gauge<never>;
  readonly serviceChangesPending: Gauge<never>;
  readonly endpointChanges: Counter<never>;
  readonly serviceChanges: Counter<never>;
  /** Services with a Local policy that have endpoints, but none on this node. */
  readonly noLocalEndpoints: Gauge<'traffic_policy' | ByFamily>;
  /** Stays 0: there is no iptables here, but dashboards ask for it. */
  readonly iptablesRestoreFailures: Counter<ByFamily>;
  readonly conntrackSyncDuration: Histogram<ByFamily>;
  readonly conntrackDeleted: Counter<ByFamily>;
  readonly healthzTotal: Counter<'code'>;
  readonly livezTotal: Counter<'code'>;
}

const syncBuckets = exponentialBuckets(0.001, 2, 15);
const programmingBuckets = [
  ...linearBuckets(0.25, 0.25, 2),
  ...linearBuckets(1, 1, 59),
  ...linearBuckets(60, 5, 12),
  ...linearBuckets(120, 30, 7),
];

export function kubeProxyMetrics(registry: Registry): KubeProxyMetrics {
  return { ...syncMetrics(registry), ...changeMetrics(registry), ...otherMetrics(registry) };
}

type SyncMetrics = Pick<
  KubeProxyMetrics,
  'syncDuration' | 'lastSync' | 'lastQueued' | 'networkProgrammingDuration' | 'noLocalEndpoints'
>;

function syncMetrics(registry: Registry): SyncMetrics {
  return {
    syncDuration: registry.histogram(
      byFamily('sync_proxy_rules_duration_seconds', 'SyncProxyRules latency in seconds'),
      syncBuckets,
    ),
    lastSync: registry.gauge(
      byFamily(
        'sync_proxy_rules_last_timestamp_seconds',
        'The last time proxy rules were successfully synced, in seconds since the Unix epoch',
      ),
    ),
    lastQueued: registry.gauge(
      byFamily(
        'sync_proxy_rules_last_queued_timestamp_seconds',
        'The last time a sync of proxy rules was queued, in seconds since the Unix epoch',
      ),
    ),
    networkProgrammingDuration: registry.histogram(
      byFamily('network_programming_duration_seconds', 'In Cluster Network Programming Latency in seconds'),
      programmingBuckets,
    ),
    noLocalEndpoints: registry.gauge({
      name: 'kubeproxy_sync_proxy_rules_no_local_endpoints_total',
      help: '[ALPHA] Number of services with a Local traffic policy and no endpoints on the node',
      labels: ['traffic_policy', 'ip_family'],
    }),
  };
}

type ChangeMetrics = Pick<
  KubeProxyMetrics,
  'endpointChangesPending' | 'serviceChangesPending' | 'endpointChanges' | 'serviceChanges'
>;

function changeMetrics(registry: Registry): ChangeMetrics {
  return {
    endpointChangesPending: registry.gauge(
      plain('sync_proxy_rules_endpoint_changes_pending', 'Pending proxy rules Endpoint changes'),
    ),
    serviceChangesPending: registry.gauge(
      plain('sync_proxy_rules_service_changes_pending', 'Pending proxy rules Service changes'),
    ),
    endpointChanges: registry.counter(
      plain('sync_proxy_rules_endpoint_changes_total', 'Cumulative proxy rules Endpoint changes'),
    ),
    serviceChanges: registry.counter(
      plain('sync_proxy_rules_service_changes_total', 'Cumulative proxy rules Service changes'),
    ),
  };
}

type OtherMetrics = Pick<
  KubeProxyMetrics,
  'iptablesRestoreFailures' | 'conntrackSyncDuration' | 'conntrackDeleted' | 'healthzTotal' | 'livezTotal'
>;

function otherMetrics(registry: Registry): OtherMetrics {
  return {
    iptablesRestoreFailures: registry.counter(
      byFamily('sync_proxy_rules_iptables_restore_failures_total', 'Always 0: sluice does not use iptables'),
    ),
    conntrackSyncDuration: registry.histogram(
      byFamily('conntrack_reconciler_sync_duration_seconds', 'ReconcileConntrackFlowsLatency latency in seconds'),
      syncBuckets,
    ),
    conntrackDeleted: registry.counter(
      byFamily('conntrack_reconciler_deleted_entries_total', 'Cumulative conntrack flows deleted by the reconciler'),
    ),
    healthzTotal: registry.counter(byCode('proxy_healthz_total', 'Cumulative proxy healthz HTTP status')),
    livezTotal: registry.counter(byCode('proxy_livez_total', 'Cumulative proxy livez HTTP status')),
  };
}

interface Named<Name extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Name[];
}

function plain(name: string, help: string): Named<never> {
  return { name: `kubeproxy_${name}`, help: `[ALPHA] ${help}`, labels: [] };
}

function byFamily(name: string, help: string): Named<ByFamily> {
  return { ...plain(name, help), labels: ['ip_family'] };
}

function byCode(name: string, help: string): Named<'code'> {
  return { ...plain(name, help), labels: ['code'] };
}
