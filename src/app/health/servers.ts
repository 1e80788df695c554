/** The servers at fixed ports: health and metrics. */

import { formatEndpoint } from '../../core/address.ts';
import type { EventPort } from '../../kube/events/event-port.ts';
import type { BindAddress, Config } from '../config/config.ts';
import { reportServerFailure } from '../events/agent-events.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { HealthCell } from '../observe/observer.ts';
import { nodeNameOf } from '../source.ts';
import { isHealthy } from './health.ts';
import { healthHandler } from './health-server.ts';
import { type Handler, type HttpServer, type HttpServerInput, serveHttp } from './http-server.ts';
import { metricsHandler } from './metrics-server.ts';

export interface ServersInput {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: HealthCell;
  readonly events: EventPort;
  /** Ends the agent. */
  readonly fail: (error: Error) => void;
}

interface FixedServer {
  readonly bind: BindAddress | undefined;
  readonly name: string;
  /** What an Event says it is. */
  readonly kind: 'health' | 'metrics';
  readonly handler: Handler;
}

/** Starts those that the configuration asks for. */
export function serve(config: Config, input: ServersInput): readonly HttpServer[] {
  return fixedServers(config, input).flatMap((server) => {
    const { bind, handler } = server;
    return bind === undefined ? [] : [serveHttp({ bind, handler, ...tellOf(server, bind, { config, input }) })];
  });
}

function fixedServers(config: Config, { metrics, health }: ServersInput): readonly FixedServer[] {
  const syncPeriodMs = config.ipvsSyncPeriodMs;
  const { healthAddr: address, healthPort: port, healthzBindAddress, metricsBindAddress } = config;
  const answers = healthHandler({
    health: () => health.value,
    now: Date.now,
    syncPeriodMs,
    healthzTotal: metrics.healthzTotal,
    livezTotal: metrics.livezTotal,
  });
  const page = metricsHandler({
    config,
    renderMetrics: () => metrics.render(),
    isHealthy: () => isHealthy(health.value, Date.now(), syncPeriodMs),
  });
  const further = port === 0 ? undefined : { address, port };
  return [
    { bind: healthzBindAddress, name: 'health', kind: 'health', handler: answers },
    { bind: further, name: 'further health', kind: 'health', handler: answers },
    { bind: metricsBindAddress, name: 'metrics', kind: 'metrics', handler: page },
  ];
}

function tellOf(
  { name, kind }: FixedServer,
  bind: BindAddress,
  { config, input }: { readonly config: Config; readonly input: ServersInput },
): Pick<HttpServerInput, 'onListening' | 'onBindFailure'> {
  const { log, events, fail } = input;
  return {
    onListening: (bound) => log.info({ ...bound }, `${name} server listens`),
    onBindFailure: (error, retryInMs) => {
      log.warn({ err: error, retryInMs, ...bind }, `${name} server cannot listen`);
      if (config.bindAddressHardFail) {
        const where = formatEndpoint(bind.address, bind.port);
        const message = `the ${name} server cannot listen on ${where}: ${error.message}`;
        reportServerFailure(events, nodeNameOf(config), { server: kind, message });
        fail(new Error(message, { cause: error }));
      }
    },
  };
}
