import { exponentialBuckets } from './buckets.ts';
import type { Counter, Gauge, Histogram, Registry } from './registry.ts';

/** sluice's own metrics, for what kube-proxy never counted. Every label has few values. */
export interface SluiceMetrics {
  /** Parts of objects that are refused now, by `Reason`. */
  readonly refusals: Gauge<'reason'>;
  /** Operations the kernel carried out, by the kind of `Operation`. */
  readonly operations: Counter<'kind'>;
  /** Operations the kernel refused, by the name of the errno (`EINVAL`). */
  readonly failures: Counter<'errno'>;
  /** Operations that an audit asked for: another hand had changed what is ours. */
  readonly repairs: Counter<'kind'>;
  /** 1 while pods can be told from other sources, else 0. */
  readonly detectsLocal: Gauge<'ip_family'>;
  /** Destinations at weight 0 that still have connections. */
  readonly drains: Gauge<never>;
  /** Seconds, from facts taken in to the last acknowledgement. */
  readonly passDuration: Histogram<never>;
  /** 1 while the watch of this kind of object (`Service`, …) is open, else 0. */
  readonly watchConnected: Gauge<'kind'>;
  /** Unix seconds of the last event or bookmark of this kind. */
  readonly watchLastEvent: Gauge<'kind'>;
  /** What was found in the kernel at start and taken over: `virtual-server`, `vip`, `element`. */
  readonly adopted: Gauge<'kind'>;
  /** What others have in the kernel and sluice leaves alone: `virtual-server`, `vip`. */
  readonly foreign: Gauge<'kind'>;
  /** Sockets of `healthCheckNodePort`s: `listening`, `failing`. */
  readonly healthCheckSockets: Gauge<'state'>;
  /** Addresses of pods that are to answer clients directly: `preparing`, `prepared`, `failed`. */
  readonly podTunnels: Gauge<'state'>;
  /** Events for the API server: `posted`, `failed`, `dropped`. */
  readonly events: Counter<'result'>;
}

/** A pass of one change takes a fraction of a millisecond; the first one of a large cluster takes seconds. */
const passBuckets = exponentialBuckets(0.0001, 2, 18);

export function sluiceMetrics(registry: Registry): SluiceMetrics {
  return {
    refusals: registry.gauge({
      name: 'sluice_refusals',
      help: 'Parts of objects that are not programmed as written, by reason.',
      labels: ['reason'],
    }),
    ...kernelMetrics(registry),
    detectsLocal: registry.gauge({
      name: 'sluice_detects_local',
      help: 'Whether pods can be told from other clients (see --detect-local-mode).',
      labels: ['ip_family'],
    }),
    drains: registry.gauge({
      name: 'sluice_drains_in_progress',
      help: 'Destinations at weight 0 that still have connections.',
      labels: [],
    }),
    passDuration: registry.histogram(
      {
        name: 'sluice_pass_duration_seconds',
        help: 'Time from facts taken in to the last acknowledgement of the kernel.',
        labels: [],
      },
      passBuckets,
    ),
    healthCheckSockets: registry.gauge({
      name: 'sluice_health_check_sockets',
      help: 'Sockets for healthCheckNodePort that are open, and that could not be opened.',
      labels: ['state'],
    }),
    podTunnels: registry.gauge({
      name: 'sluice_pod_tunnels',
      help: 'Tunnels to pods of this node that are to answer clients directly, by how far each is.',
      labels: ['state'],
    }),
    events: registry.counter({
      name: 'sluice_events_total',
      help: 'Events that the API server has taken, that it has not, and that were too many.',
      labels: ['result'],
    }),
    ...watchMetrics(registry),
  };
}

function kernelMetrics(
  registry: Registry,
): Pick<SluiceMetrics, 'operations' | 'failures' | 'repairs' | 'adopted' | 'foreign'> {
  return {
    operations: registry.counter({
      name: 'sluice_kernel_operations_total',
      help: 'Operations that the kernel carried out.',
      labels: ['kind'],
    }),
    failures: registry.counter({
      name: 'sluice_kernel_failures_total',
      help: 'Operations that the kernel refused, by errno.',
      labels: ['errno'],
    }),
    repairs: registry.counter({
      name: 'sluice_repairs_total',
      help: 'Operations that put back what another hand had changed.',
      labels: ['kind'],
    }),
    adopted: registry.gauge({
      name: 'sluice_adopted_objects',
      help: 'Objects found in the kernel at start and taken over.',
      labels: ['kind'],
    }),
    foreign: registry.gauge({
      name: 'sluice_foreign_objects',
      help: 'Objects of others in the kernel, left alone.',
      labels: ['kind'],
    }),
  };
}

function watchMetrics(registry: Registry): Pick<SluiceMetrics, 'watchConnected' | 'watchLastEvent'> {
  return {
    watchConnected: registry.gauge({
      name: 'sluice_watch_connected',
      help: 'Whether the watch of this kind of object is open.',
      labels: ['kind'],
    }),
    watchLastEvent: registry.gauge({
      name: 'sluice_watch_last_event_timestamp_seconds',
      help: 'When the watch of this kind of object last said something, in seconds since the Unix epoch.',
      labels: ['kind'],
    }),
  };
}
