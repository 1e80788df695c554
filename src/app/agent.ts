/** The agent: facts from a source, through the loop, into the kernel; health and metrics beside it. */

import { emptyFacts, type Facts } from '../core/facts.ts';
import type { FactChange } from '../core/model/facts.ts';
import { type AgentLockObserver, holdAgentLock } from './agent-lock.ts';
import { coalesce } from './coalesce.ts';
import type { Config } from './config/config.ts';
import { watchFile } from './config/file/watch-file.ts';
import type { Configuration } from './config/parse-config.ts';
import { makeContext } from './context.ts';
import { followDemand } from './direct-return/follow-demand.ts';
import { openPodTunnels } from './direct-return/open-pod-tunnels.ts';
import { reportRefusal, reportStarting } from './events/agent-events.ts';
import { openEvents } from './events/open-events.ts';
import { createFlowCleaner } from './flow-cleaner.ts';
import { initialHealth, isHealthy } from './health/health.ts';
import { createHealthCheckServers } from './health/health-check-servers.ts';
import { serve } from './health/servers.ts';
import { applyHostSettings, requireAsked } from './host/apply-host.ts';
import { openHostFiles } from './host/ensure-settings.ts';
import { requireNetAdmin } from './host/require-capability.ts';
import {
  closeKernel,
  contextSettings,
  filterSkeleton,
  openFlows,
  openKernel,
  planRules,
  schedulerSupport,
} from './kernel.ts';
import { keepLastKnown } from './last-known/last-known.ts';
import { type Log, makeLog } from './log.ts';
import { logWarnings } from './log-warnings.ts';
import { type Loop, startLoop } from './loop.ts';
import { type Metrics, makeMetrics, type ProcessReading } from './metrics/metrics.ts';
import { createDetectionWatch } from './observe/detection-watch.ts';
import { createObserver, type HealthCell } from './observe/observer.ts';
import { countPodTunnels } from './observe/pod-tunnel-count.ts';
import { createRefusalLog } from './observe/refusal-log.ts';
import { watchSource } from './observe/source-watch.ts';
import { podDetectionOf } from './pod-detection.ts';
import { createReconciler } from './reconciler/reconciler.ts';
import { nodeNameOf, openAccess, openSource } from './source.ts';

/** What the agent needs of the process it runs in. */
export interface AgentEnvironment {
  readonly stdout: { write(text: string): unknown; readonly isTTY: boolean };
  readonly version: string;
  readonly readProcess: () => ProcessReading;
  readonly processId: number;
  /** Aborted: the agent stops. What it programmed stays. */
  readonly stop: AbortSignal;
}

/**
 * Runs until it is told to stop. Throws when the kernel cannot be worked with at all, when what was asked for cannot be
 * had, and when the configuration file has changed.
 */
export async function runAgent(configuration: Configuration, environment: AgentEnvironment): Promise<void> {
  const { config } = configuration;
  const { stdout } = environment;
  const log = makeLog({ level: config.logLevel, format: config.logFormat, destination: stdout, colours: stdout.isTTY });
  const opened: Closer[] = [];
  try {
    await work(configuration, environment, { log, opened });
  } finally {
    // Whatever was opened keeps the process alive, also when the next thing could not be.
    for (const close of opened.reverse()) {
      await close();
    }
    log.info({}, 'sluice stopped; what it programmed stays in force');
  }
}

type Closer = () => unknown;

interface Workplace {
  readonly log: Log;
  /** How to close what was opened, in the order of opening. */
  readonly opened: Closer[];
}

async function work(
  configuration: Configuration,
  { version, readProcess, processId, stop }: AgentEnvironment,
  { log, opened }: Workplace,
): Promise<void> {
  const { config, file, notices } = configuration;
  logWarnings(log, notices);
  const files = openHostFiles();
  requireNetAdmin(files.process);
  const release = await holdAgentLock({ version, processId, stop, observer: lockObserver(log) });
  if (release === undefined) {
    return;
  }
  opened.push(release);
  const ports = openKernel(config);
  opened.push(() => closeKernel(ports));
  requireAsked(applyHostSettings(configuration, log, files));
  const ending = awaitEnd(stop);
  const metrics = makeMetrics({ version, readProcess });
  const health: HealthCell = { value: initialHealth };
  const nodeName = nodeNameOf(config);
  const known: { facts?: Facts } = {};
  const access = openAccess(config);
  const events = openEvents(config, access, log, () => known.facts);
  opened.push(() => events.close(lastEventsMs));
  const servers = serve(config, { log, metrics, health, events, fail: ending.fail });
  opened.push(() => Promise.all(servers.map((server) => server.close())));
  const refusals = createRefusalLog(log, metrics, (refused) => reportRefusal(events, nodeName, refused));
  const healthChecks = createHealthCheckServers({
    isHealthy: () => isHealthy(health.value, Date.now(), config.ipvsSyncPeriodMs),
    onTrouble: (service, troubles) => refusals.unserved(service, troubles),
  });
  opened.push(() => healthChecks.close());
  const observer = createObserver({ log, metrics, health, now: Date.now, refusals, healthChecks, events });
  const source = openSource(config, access);
  opened.push(() => source.stop(), watchSource(source, metrics, log));
  const { loop, facts } = startWork(configuration, ports, observer, { log, metrics });
  known.facts = facts;
  opened.push(() => loop.stop(), watchConfigFile(file, ending.fail));
  const changes = rememberingLastKnown(config, { loop, facts }, ports, { log, opened });
  source.start({
    changes: coalesce(changes, config.ipvsMinSyncPeriodMs),
    problem: (problem) => refusals.problem(problem),
  });
  reportStarting(events, nodeName);
  log.info({ version, node: nodeName }, 'sluice started');
  const failure = await ending.ended;
  if (failure !== undefined) {
    throw failure;
  }
}

/** Takes facts in, and keeps what is known of the cluster where that is asked for. */
function rememberingLastKnown(
  config: Config,
  { loop, facts }: Work,
  { filter }: ReturnType<typeof openKernel>,
  { log, opened }: Workplace,
): (batch: readonly FactChange[]) => void {
  const lastKnown = keepLastKnown({
    path: config.lastKnownState,
    maxAgeMs: config.lastKnownStateMaxAgeMs,
    facts,
    filter,
    log,
    changes: (batch) => loop.changes(batch),
  });
  opened.push(() => lastKnown.stop());
  return (batch) => {
    loop.changes(batch);
    lastKnown.changed(batch);
  };
}

function lockObserver(log: Log): AgentLockObserver {
  return {
    waiting: (holder) => log.info({ holder }, 'another agent works in this network namespace; waiting for its end'),
    squatted: (found) =>
      log.warn({ found }, 'something else has the name of the lock of agents; a second agent would not be noticed'),
  };
}

/** How long the end waits for Events that are not posted yet. */
const lastEventsMs = 1_000;

interface Work {
  readonly loop: Loop;
  readonly facts: Facts;
}

function startWork(
  { config, given }: Configuration,
  ports: ReturnType<typeof openKernel>,
  observer: ReturnType<typeof createObserver>,
  { log, metrics }: { readonly log: Log; readonly metrics: Metrics },
): Work {
  const nodeName = nodeNameOf(config);
  const lookAt = createDetectionWatch(podDetectionOf(config), { log, metrics });
  const pods = openPodTunnels(config, log, () => loop.contextChanged());
  countPodTunnels(metrics, pods.states);
  const followPods = followDemand(pods);
  const settings = contextSettings(config, nodeName, schedulerSupport(config), pods.states);
  const reconciler = createReconciler({
    ports,
    context: makeContext(settings, emptyFacts(nodeName), {
      addresses: [],
      defaultSources: { IPv4: undefined, IPv6: undefined },
    }),
    rules: planRules(config, nodeName),
    fwmarkMask: config.fwmarkMask,
    graceMs: config.ipvsGracefulPeriodMs,
    now: () => performance.now(),
  });
  const conntrack = openFlows();
  const cleaner = createFlowCleaner({
    conntrack,
    view: reconciler.view,
    observer,
    now: () => performance.now(),
  });
  const loop = startLoop({
    reconciler,
    ports,
    skeleton: filterSkeleton(config),
    contextOf: (reading) => {
      const context = makeContext(settings, reconciler.view.facts, reading);
      lookAt(context);
      return context;
    },
    observer: {
      ...observer,
      passed: (outcome, view) => {
        observer.passed(outcome, view);
        followPods(view);
        cleaner.due(reconciler.takeUdpServices());
      },
    },
    auditPeriodMs: config.ipvsSyncPeriodMs,
    isAuditPeriodExact: given.has('ipvsSyncPeriodMs'),
  });
  const stop = (): void => {
    loop.stop();
    pods.stop();
    cleaner.stop();
    conntrack.close();
  };
  return { loop: { ...loop, stop }, facts: reconciler.view.facts };
}

/** kube-proxy's way too: it ends, and whoever started it starts it again with what the file says now. */
function watchConfigFile(file: Configuration['file'], fail: (error: Error) => void): () => void {
  if (file === undefined) {
    return () => {};
  }
  const error = new Error(`the configuration file ${file.path} has changed; start sluice again to have it read`);
  return watchFile({ ...file, onChange: () => fail(error) });
}

interface Ending {
  /** Ends the agent with an error. The first one counts. */
  readonly fail: (error: Error) => void;
  /** Resolves to the error, or to undefined when the agent was told to stop. */
  readonly ended: Promise<Error | undefined>;
}

function awaitEnd(stop: AbortSignal): Ending {
  let fail: Ending['fail'] = () => {};
  const ended = new Promise<Error | undefined>((resolve) => {
    fail = resolve;
    if (stop.aborted) {
      resolve(undefined);
    } else {
      stop.addEventListener('abort', () => resolve(undefined), { once: true });
    }
  });
  return { fail, ended };
}
