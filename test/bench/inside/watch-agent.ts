/**
 * The agent from the watch to the kernel, without its servers, in a process of its own: reports every pass to its
 * parent, with the time at which it was over. Argument: a `WatchAgentInput` as JSON.
 */

import { initialHealth } from '../../../src/app/health/health.ts';
import { createHealthCheckServers } from '../../../src/app/health/health-check-servers.ts';
import { filterSkeleton, openKernel } from '../../../src/app/kernel.ts';
import { makeLog } from '../../../src/app/log.ts';
import { startLoop } from '../../../src/app/loop.ts';
import { makeMetrics } from '../../../src/app/metrics/metrics.ts';
import { createObserver } from '../../../src/app/observe/observer.ts';
import { createRefusalLog } from '../../../src/app/observe/refusal-log.ts';
import type { PassTrigger } from '../../../src/app/reconciler/state.ts';
import { openSource } from '../../../src/app/source.ts';
import { noEvents } from '../../../src/kube/events/event-port.ts';
import { assemble, benchConfig, setNeededSysctls } from './agent-parts.ts';
import { readArgument } from './child.ts';

export interface WatchAgentInput {
  readonly kubeconfig: string;
}

export interface PassReport {
  readonly trigger: PassTrigger;
  /** CLOCK_MONOTONIC, the same in all processes of one machine, in nanoseconds. */
  readonly endedAt: string;
  readonly passMs: number;
  readonly operations: number;
  readonly failures: number;
}

run(readArgument<WatchAgentInput>());

function run({ kubeconfig }: WatchAgentInput): void {
  const config = benchConfig('address', { kubeconfig });
  setNeededSysctls();
  const ports = openKernel(config);
  const { reconciler, contextOf } = assemble(config, ports);
  const log = makeLog({ level: 'info', format: 'json', destination: process.stderr });
  const readProcess = () => ({ residentBytes: 0, cpuSeconds: 0, startTimeSeconds: 0 });
  const metrics = makeMetrics({ version: 'bench', readProcess });
  const refusals = createRefusalLog(log, metrics);
  const healthChecks = createHealthCheckServers({ isHealthy: () => true, onTrouble: () => {} });
  const health = { value: initialHealth };
  const observer = createObserver({ log, metrics, health, now: Date.now, refusals, healthChecks, events: noEvents });
  const loop = startLoop({
    reconciler,
    ports,
    skeleton: filterSkeleton(config),
    contextOf,
    auditPeriodMs: config.ipvsSyncPeriodMs,
    observer: {
      ...observer,
      passed: (outcome, view) => {
        const endedAt = `${process.hrtime.bigint()}`;
        observer.passed(outcome, view);
        const { trigger, execution, durationMs: passMs } = outcome;
        const operations = execution.performed.length;
        const failures = execution.failed.length;
        report({ trigger, endedAt, passMs, operations, failures });
      },
    },
  });
  openSource(config).start({
    changes: (batch) => loop.changes(batch),
    problem: (problem) => {
      throw new Error(`expected well-formed objects, found ${JSON.stringify(problem)}`);
    },
  });
  process.on('disconnect', () => process.exit(0));
}

function report(pass: PassReport): void {
  process.send?.(pass);
}
