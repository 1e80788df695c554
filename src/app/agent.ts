/** The agent: facts from a source, through the loop, into the kernel; health and metrics beside it. */

import { openSysctl } from '../kernel/sysctl/open-sysctl.ts';
import type { FactSink } from '../kube/source.ts';
import type { Config } from './config/config.ts';
import { makeContext } from './context.ts';
import { initialHealth, isHealthy } from './health/health.ts';
import { createHealthCheckServers } from './health/health-check-servers.ts';
import { healthHandler } from './health/health-server.ts';
import { type Handler, type HttpServer, serveHttp } from './health/http-server.ts';
import { metricsHandler } from './health/metrics-server.ts';
import {
  closeKernel,
  contextSettings,
  filterSkeleton,
  openKernel,
  planRules,
  readNode,
  schedulerSupport,
} from './kernel.ts';
import { type Log, makeLog } from './log.ts';
import { type Loop, startLoop } from './loop.ts';
import { type Metrics, makeMetrics, type ProcessReading } from './metrics/metrics.ts';
import { createObserver, type HealthCell } from './observe/observer.ts';
import { createRefusalLog } from './observe/refusal-log.ts';
import { watchSource } from './observe/source-watch.ts';
import { createReconciler } from './reconciler/reconciler.ts';
import { nodeNameOf, openSource } from './source.ts';
import { ensureSysctls } from './sysctls.ts';

/** What the agent needs of the process it runs in. */
export interface AgentEnvironment {
  readonly stdout: { write(text: string): unknown; readonly isTTY: boolean };
  readonly version: string;
  readonly readProcess: () => ProcessReading;
  /** Aborted: the agent stops. What it programmed stays. */
  readonly stop: AbortSignal;
}

/** Runs until it is told to stop. Throws KernelError when the kernel cannot be worked with at all. */
export async function runAgent(config: Config, environment: AgentEnvironment): Promise<void> {
  const { stdout, version, stop } = environment;
  const log = makeLog({ level: config.logLevel, format: config.logFormat, destination: stdout, colours: stdout.isTTY });
  const ports = openKernel(config);
  const metrics = makeMetrics({ version, readProcess: environment.readProcess });
  const health: HealthCell = { value: initialHealth };
  const servers = serve(config, { log, metrics, health });
  const refusals = createRefusalLog(log, metrics);
  const healthChecks = createHealthCheckServers({
    isHealthy: () => isHealthy(health.value, Date.now(), config.ipvsSyncPeriodMs),
    onTrouble: (service, troubles) => refusals.unserved(service, troubles),
  });
  const observer = createObserver({ log, metrics, health, now: Date.now, refusals, healthChecks });
  prepareNode(log);
  const loop = startWork(config, ports, observer);
  const source = openSource(config);
  const sink: FactSink = {
    changes: (batch) => loop.changes(batch),
    problem: (problem) => refusals.problem(problem),
  };
  const stopWatching = watchSource(source, metrics, log);
  source.start(sink);
  log.info({ version, node: nodeNameOf(config) }, 'sluice started');
  await aborted(stop);
  loop.stop();
  stopWatching();
  await source.stop();
  await Promise.all([healthChecks, ...servers].map((server) => server.close()));
  closeKernel(ports);
  log.info({}, 'sluice stopped; what it programmed stays in force');
}

function startWork(
  config: Config,
  ports: ReturnType<typeof openKernel>,
  observer: ReturnType<typeof createObserver>,
): Loop {
  const nodeName = nodeNameOf(config);
  const settings = contextSettings(config, nodeName, schedulerSupport(config));
  const reconciler = createReconciler({
    ports,
    context: makeContext(settings, undefined, { addresses: [], defaultSources: { IPv4: undefined, IPv6: undefined } }),
    rules: planRules(config, nodeName),
    fwmarkMask: config.fwmarkMask,
    graceMs: config.ipvsGracefulPeriodMs,
    now: () => performance.now(),
  });
  return startLoop({
    reconciler,
    ports,
    skeleton: filterSkeleton(config),
    readContext: () => makeContext(settings, reconciler.view.facts.node, readNode(ports)),
    observer,
    auditPeriodMs: config.ipvsSyncPeriodMs,
  });
}

function prepareNode(log: Log): void {
  const report = ensureSysctls(openSysctl());
  for (const change of report.changed) {
    log.info(change, 'sysctl set');
  }
  for (const failure of report.failed) {
    log.error({ ...failure }, 'sysctl is not as needed and cannot be set from here; set it on the node');
  }
}

interface Observed {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: HealthCell;
}

function serve(config: Config, { log, metrics, health }: Observed): readonly HttpServer[] {
  const syncPeriodMs = config.ipvsSyncPeriodMs;
  const handlers: readonly (readonly [Config['healthzBindAddress'], string, Handler])[] = [
    [
      config.healthzBindAddress,
      'health',
      healthHandler({
        health: () => health.value,
        now: Date.now,
        syncPeriodMs,
        healthzTotal: metrics.healthzTotal,
        livezTotal: metrics.livezTotal,
      }),
    ],
    [
      config.metricsBindAddress,
      'metrics',
      metricsHandler({
        config,
        renderMetrics: () => metrics.render(),
        isHealthy: () => isHealthy(health.value, Date.now(), syncPeriodMs),
      }),
    ],
  ];
  return handlers.flatMap(([bind, name, handler]) => (bind === undefined ? [] : [listen(log, name, bind, handler)]));
}

function listen(log: Log, name: string, bind: NonNullable<Config['healthzBindAddress']>, handler: Handler): HttpServer {
  return serveHttp({
    bind,
    handler,
    onListening: (bound) => log.info({ ...bound }, `${name} server listens`),
    onBindFailure: (error, retryInMs) => log.warn({ err: error, retryInMs, ...bind }, `${name} server cannot listen`),
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
    } else {
      signal.addEventListener('abort', () => resolve(), { once: true });
    }
  });
}
