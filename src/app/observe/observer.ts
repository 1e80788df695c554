/** Turns what the loop does into log lines, metrics and health. Quiet when nothing happens. */

import type { Facts } from '../../core/facts.ts';
import { families } from '../../core/model/facts.ts';
import type { Operation } from '../../core/model/operation.ts';
import { countOperations } from '../../core/plan.ts';
import type { Steps } from '../../core/steps.ts';
import type { EventPort } from '../../kube/events/event-port.ts';
import type { FlowCleaning, FlowObserver } from '../flow-cleaner.ts';
import type { Health } from '../health/health.ts';
import { queued, settled, started, updated, withNodeEligible } from '../health/health.ts';
import type { HealthCheckServers } from '../health/health-check-servers.ts';
import type { Log } from '../log.ts';
import type { LoopObserver } from '../loop-input.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { PassOutcome, ReconcilerView } from '../reconciler/state.ts';
import { inSlicesAfterFirst } from '../slices.ts';
import { watchChanges } from './change-watch.ts';
import { familiesInForce, touchedFamilies } from './families.ts';
import { countLocalGaps } from './local-gaps.ts';
import type { RefusalLog } from './refusal-log.ts';

export interface ObserverInput {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: HealthCell;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly refusals: RefusalLog;
  readonly healthChecks: HealthCheckServers;
  readonly events: EventPort;
}

/** Where the current health stands; servers read it. */
export interface HealthCell {
  value: Health;
}

export function createObserver(input: ObserverInput): LoopObserver & FlowObserver {
  const { log, metrics, health, now, refusals, healthChecks } = input;
  const changes = watchChanges(metrics, now());
  const countGaps = countLocalGaps(metrics);
  const recordInForce = (view: ReconcilerView): void => {
    const served = familiesInForce(view);
    const at = now();
    health.value = updated(health.value, served, at);
    changes.inForce(served, at);
    for (const ip_family of served) {
      metrics.lastSync.set({ ip_family }, at / 1000);
    }
  };
  /** What a pass did and what it found, item by item. */
  const lookBack = function* (outcome: PassOutcome, view: ReconcilerView): Steps<void> {
    yield* countSteps(metrics, outcome);
    yield* countGaps(outcome, view);
    yield* refusals.passed(outcome, view);
  };
  metrics.beforeRender(() => showHealthChecks(metrics, healthChecks));
  countEvents(metrics, input.events);
  return {
    started: () => {
      health.value = started(health.value, families, now());
    },
    received: (batch, facts) => {
      const at = now();
      changes.received(batch, facts, at);
      // A list that does not come must not get us restarted: the next one would not come either.
      if (isComplete(facts)) {
        health.value = queued(health.value, touchedFamilies(batch, facts), at);
      }
    },
    taken: (view) => {
      // What an audit mends keeps changes waiting.
      if (view.isStarted && !view.isExclusive) {
        const served = familiesInForce(view);
        health.value = settled(health.value, served);
        changes.inForce(served, now());
      } else if (isComplete(view.facts)) {
        health.value = queued(health.value, families, now());
      }
      recordEligibility(input, view);
    },
    passed: (outcome, view) => {
      countPass(input, outcome);
      recordInForce(view);
      recordEligibility(input, view);
      logPass(log, outcome, view);
      metrics.drains.set({}, view.drains.count);
      recordCensus(metrics, outcome);
      serveHealthChecks(healthChecks, outcome, view);
      inSlicesAfterFirst(lookBack(outcome, view));
    },
    troubled: (what, error, retryInMs) => {
      log.error({ err: error, retryInMs }, `could not ${what}`);
    },
    cleaned: (cleaning) => recordCleaning(input, cleaning),
    leftAlone: (servers) => logLeftAlone(log, servers),
  };
}

function countPass({ metrics }: ObserverInput, outcome: PassOutcome): void {
  const seconds = outcome.durationMs / 1000;
  metrics.passDuration.observe({}, seconds);
  for (const ip_family of families) {
    metrics.syncDuration.observe({ ip_family }, seconds);
  }
  for (const { error } of outcome.execution.failed) {
    metrics.failures.add({ errno: error.code });
  }
}

/** A cold start performs a hundred thousand operations. */
function* countSteps(metrics: Metrics, { execution: { performed }, trigger }: PassOutcome): Steps<void> {
  for (let from = 0; from < performed.length; from += countedAtOnce) {
    if (from > 0) {
      yield;
    }
    for (const [kind, count] of countKinds(performed.slice(from, from + countedAtOnce))) {
      metrics.operations.add({ kind }, count);
      if (trigger === 'audit') {
        metrics.repairs.add({ kind }, count);
      }
    }
  }
}

const countedAtOnce = 5_000;

function countKinds(operations: readonly Operation[]): ReadonlyMap<Operation['kind'], number> {
  const counts = new Map<Operation['kind'], number>();
  for (const { kind } of operations) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

function recordEligibility({ health }: ObserverInput, { facts }: ReconcilerView): void {
  health.value = withNodeEligible(health.value, facts.node?.eligible ?? false);
}

function isComplete({ complete }: Facts): boolean {
  return complete.has('Service') && complete.has('EndpointSlice');
}

function recordCleaning({ log, metrics }: ObserverInput, { durationMs, ...cleaning }: FlowCleaning): void {
  const { family, deleted } = cleaning;
  metrics.conntrackSyncDuration.observe({ ip_family: family }, durationMs / 1000);
  metrics.conntrackDeleted.add({ ip_family: family }, deleted);
  log[deleted > 0 ? 'info' : 'debug']({ ...cleaning, ms: rounded(durationMs) }, 'stale UDP flows deleted');
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function logPass(log: Log, outcome: PassOutcome, view: ReconcilerView): void {
  const operations = countOperations(outcome.plan);
  const fields = { trigger: outcome.trigger, operations, ms: rounded(outcome.durationMs) };
  if (outcome.trigger === 'start') {
    const { virtualServers, vips } = view.actual;
    log.info(
      { ...fields, services: outcome.services.length, virtualServers: virtualServers.size, vips: vips.size },
      'synced',
    );
  } else if (outcome.trigger === 'audit' && operations > 0) {
    log.warn({ ...fields, first: firstOperation(outcome) }, 'the kernel was not as left; repaired');
  } else if (operations > 0) {
    log.debug(fields, 'synced');
  }
  for (const { operation, error, remedy } of outcome.execution.failed.slice(0, loggedFailures)) {
    log.warn({ operation, errno: error.code, remedy }, 'the kernel refused an operation');
  }
}

function logLeftAlone(log: Log, servers: readonly string[]): void {
  const fields = { count: servers.length, virtualServers: servers.slice(0, loggedFailures) };
  log.warn(fields, 'the record of ownership was lost; virtual servers on VIPs that no Service wants are left alone');
}

function recordCensus(metrics: Metrics, { trigger, census }: PassOutcome): void {
  for (const [kind, count] of Object.entries(census?.foreign ?? {})) {
    metrics.foreign.set({ kind }, count);
  }
  if (trigger === 'start') {
    for (const [kind, count] of Object.entries(census?.own ?? {})) {
      metrics.adopted.set({ kind }, count);
    }
  }
}

function showHealthChecks(metrics: Metrics, servers: HealthCheckServers): void {
  for (const [state, count] of Object.entries(servers.counts())) {
    metrics.healthCheckSockets.set({ state }, count);
  }
}

function countEvents(metrics: Metrics, events: EventPort): void {
  let known = events.counts();
  metrics.beforeRender(() => {
    const counts = events.counts();
    for (const result of ['posted', 'failed', 'dropped'] as const) {
      metrics.events.add({ result }, counts[result] - known[result]);
    }
    known = counts;
  });
}

function serveHealthChecks(servers: HealthCheckServers, outcome: PassOutcome, view: ReconcilerView): void {
  // A pass that broke off may have taken a health check away and told nobody: a full one looks at all that run.
  const running = outcome.census === undefined ? [] : servers.keys();
  for (const key of new Set([...outcome.healthChecks, ...running])) {
    const wanted = view.desired.resources.get(key);
    servers.set(key, wanted?.kind === 'health-check' ? wanted.value : undefined);
  }
}

/** At a time: a kernel that refuses everything must not fill the log. */
const loggedFailures = 10;

function firstOperation(outcome: PassOutcome): unknown {
  return outcome.execution.performed.at(0);
}
