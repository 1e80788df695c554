/** The loop with its observer on a node in memory, as the agent wires them, with a clock that a test sets. */

import { reportRefusal } from '../../src/app/events/agent-events.ts';
import { initialHealth } from '../../src/app/health/health.ts';
import { createHealthCheckServers, type HealthCheckServersInput } from '../../src/app/health/health-check-servers.ts';
import { makeLog } from '../../src/app/log.ts';
import { type Loop, startLoop } from '../../src/app/loop.ts';
import { type Metrics, makeMetrics } from '../../src/app/metrics/metrics.ts';
import { createObserver, type HealthCell } from '../../src/app/observe/observer.ts';
import { createRefusalLog, type RefusalLog } from '../../src/app/observe/refusal-log.ts';
import type { Reconciler } from '../../src/app/reconciler/reconciler.ts';
import type { CompileContext } from '../../src/core/model/context.ts';
import { type ObjectFact, objectKinds } from '../../src/core/model/facts.ts';
import type { KernelPorts } from '../../src/kernel/executor.ts';
import { systemClock } from '../../src/kube/clock.ts';
import type { EventPort } from '../../src/kube/events/event-port.ts';
import { createEventRecorder, type EventRequest } from '../../src/kube/events/event-recorder.ts';
import { context } from './context.ts';
import { reconcilerOn, skeleton } from './node-ports.ts';

export interface ObservedLoop {
  readonly loop: Loop;
  readonly observer: ReturnType<typeof createObserver>;
  readonly reconciler: Reconciler;
  readonly health: HealthCell;
  readonly metrics: Metrics;
  readonly refusals: RefusalLog;
  /** Events that were posted. */
  readonly posted: readonly EventRequest[];
  /** Unix milliseconds. */
  readonly clock: { now: number };
  readonly stop: () => Promise<void>;
}

export interface ObservedLoopInput {
  readonly auditPeriodMs?: number;
  readonly context?: CompileContext;
}

export function observedLoop(ports: KernelPorts, input: ObservedLoopInput = {}): ObservedLoop {
  const seen = input.context ?? context();
  const log = makeLog({ level: 'error', format: 'json', destination: { write: () => true }, colours: false });
  let readings = 0;
  const readProcess = () => ({ residentBytes: 1_024 * readings, cpuSeconds: (readings += 1), startTimeSeconds: 1 });
  const metrics = makeMetrics({ version: 'test', readProcess });
  const health: HealthCell = { value: initialHealth };
  const clock = { now: Date.UTC(2026, 0, 1) };
  const posted: EventRequest[] = [];
  const events = recorderOf(posted);
  const refusals = createRefusalLog(log, metrics, (refused) => reportRefusal(events, 'node-a', refused));
  const onTrouble: HealthCheckServersInput['onTrouble'] = (service, troubles) => refusals.unserved(service, troubles);
  const healthChecks = createHealthCheckServers({ isHealthy: () => true, onTrouble });
  const reconciler = reconcilerOn(ports, { context: seen });
  const observer = createObserver({ log, metrics, health, now: () => clock.now, refusals, healthChecks, events });
  const loop = startLoop({
    reconciler,
    ports,
    skeleton,
    contextOf: () => seen,
    observer,
    auditPeriodMs: input.auditPeriodMs ?? 3_600_000,
  });
  const stop = (): Promise<void> => {
    loop.stop();
    return healthChecks.close();
  };
  return { loop, observer, reconciler, health, metrics, refusals, posted, clock, stop };
}

function recorderOf(posted: EventRequest[]): EventPort {
  return createEventRecorder({
    nodeName: 'node-a',
    transport: {
      send: async (request) => {
        posted.push(request);
        return 201;
      },
      close: () => {},
    },
    clock: systemClock,
    timeOfDay: Date.now,
    random: () => 0,
    uidOf: () => 'some-uid',
    onFailure: () => {},
  });
}

/** The complete lists with which a source begins. */
export function deliverLists(loop: Loop, ...objects: readonly ObjectFact[]): void {
  for (const kind of objectKinds) {
    loop.changes([{ change: 'replace', kind, facts: objects.filter((object) => object.kind === kind) }]);
  }
}
