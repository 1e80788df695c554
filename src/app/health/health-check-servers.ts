/** The servers of `healthCheckNodePort`: one socket per port and family, or per port and address of the node. */

import type { HealthCheck, HealthCheckListener } from '../../core/model/health-check.ts';
import type { Refusal } from '../../core/model/reason.ts';
import { type HttpServer, type Reply, serveHttp } from './http-server.ts';

export interface HealthCheckServersInput {
  /** As /livez says: a node whose proxy is stuck is no place to send connections to. */
  readonly isHealthy: () => boolean;
  /** The sockets of a Service that cannot be opened now, whenever that changes; empty: all are open, or gone. */
  readonly onTrouble: (service: string, refusals: readonly Refusal[]) => void;
  /** Milliseconds until a failed socket is tried again, after so many failures in a row. */
  readonly retryMs?: (failures: number) => number;
}

export interface HealthCheckServers {
  /** Makes the server of a key what it should be: opened, told of new counts, moved, closed. */
  set(key: string, wanted: HealthCheck | undefined): void;
  /** The keys that have a server. */
  keys(): Iterable<string>;
  /** Sockets that are open, and that could not be opened. */
  counts(): { readonly listening: number; readonly failing: number };
  /** Resolves when all ports are free. */
  close(): Promise<void>;
}

export function createHealthCheckServers(input: HealthCheckServersInput): HealthCheckServers {
  const checks = new Map<string, RunningCheck>();
  const closing = new Set<Promise<void>>();
  const close = (socket: Socket): void => {
    const closed = socket.server.close().finally(() => closing.delete(closed));
    closing.add(closed);
  };
  return {
    set: (key, wanted) => {
      const running = checks.get(key) ?? { wanted: undefined, sockets: new Map() };
      checks.set(key, running);
      change(running, wanted, input, close);
      if (wanted === undefined) {
        checks.delete(key);
      }
    },
    keys: () => [...checks.keys()],
    counts: () => {
      const sockets = [...checks.values()].flatMap((check) => [...check.sockets.values()]);
      const failing = sockets.filter((socket) => socket.failure !== undefined).length;
      return { listening: sockets.filter((socket) => socket.isListening).length, failing };
    },
    close: async () => {
      for (const running of checks.values()) {
        [...running.sockets.values()].forEach(close);
      }
      checks.clear();
      await Promise.all(closing);
    },
  };
}

interface RunningCheck {
  wanted: HealthCheck | undefined;
  /** By address. */
  readonly sockets: Map<string, Socket>;
}

interface Socket {
  readonly server: HttpServer;
  listener: HealthCheckListener;
  isListening: boolean;
  failure: Error | undefined;
}

/** A server that goes is closed before another is opened: they may overlap, as 0.0.0.0 does with every address. */
function change(
  running: RunningCheck,
  wanted: HealthCheck | undefined,
  input: HealthCheckServersInput,
  close: (socket: Socket) => void,
): void {
  const before = running.wanted;
  const troubled = hasTrouble(running);
  running.wanted = wanted;
  const addresses = new Set(wanted?.listeners.map(({ address }) => address));
  for (const [address, socket] of running.sockets) {
    if (!addresses.has(address)) {
      running.sockets.delete(address);
      close(socket);
    }
  }
  if (before !== undefined && troubled && (wanted === undefined || serviceOf(before) !== serviceOf(wanted))) {
    input.onTrouble(serviceOf(before), []);
  }
  for (const listener of wanted?.listeners ?? []) {
    const socket = running.sockets.get(listener.address);
    if (socket === undefined) {
      running.sockets.set(listener.address, open(running, listener, input));
    } else {
      socket.listener = listener;
    }
  }
  if (troubled) {
    tell(running, input);
  }
}

function open(running: RunningCheck, listener: HealthCheckListener, input: HealthCheckServersInput): Socket {
  const port = running.wanted?.port ?? 0;
  const socket: Socket = {
    listener,
    isListening: false,
    failure: undefined,
    server: serveHttp({
      bind: { address: listener.address, port },
      ipv6Only: listener.family === 'IPv6',
      retryMs: input.retryMs ?? backOff,
      handler: () => reply(running, socket.listener, input.isHealthy()),
      onListening: () => {
        socket.isListening = true;
        if (socket.failure !== undefined) {
          socket.failure = undefined;
          tell(running, input);
        }
      },
      onBindFailure: (error) => {
        socket.isListening = false;
        socket.failure = error;
        tell(running, input);
      },
    }),
  };
  return socket;
}

function hasTrouble(running: RunningCheck): boolean {
  return [...running.sockets.values()].some((socket) => socket.failure !== undefined);
}

function tell(running: RunningCheck, input: HealthCheckServersInput): void {
  const { wanted, sockets } = running;
  if (wanted === undefined) {
    return;
  }
  const refusals = [...sockets].flatMap(([address, { failure }]): readonly Refusal[] => {
    if (failure === undefined) {
      return [];
    }
    const subject = `healthCheckNodePort ${wanted.port} at ${address}`;
    const expected = 'a port that is free on this node; it is tried again';
    return [{ reason: 'health-check-port-unavailable', subject, found: failure.message, expected }];
  });
  input.onTrouble(serviceOf(wanted), refusals);
}

function serviceOf(check: HealthCheck): string {
  return `${check.namespace}/${check.name}`;
}

/** Any path and method. Bytes and headers are kube-proxy's (pkg/proxy/healthcheck/service_health.go). */
function reply({ wanted }: RunningCheck, { localEndpoints }: HealthCheckListener, isHealthy: boolean): Reply {
  const service = { namespace: wanted?.namespace ?? '', name: wanted?.name ?? '' };
  return {
    status: localEndpoints > 0 && isHealthy ? 200 : 503,
    contentType: 'application/json',
    headers: { 'X-Load-Balancing-Endpoint-Weight': String(localEndpoints) },
    body: JSON.stringify({ service, localEndpoints, serviceProxyHealthy: isHealthy }, null, '\t'),
  };
}

/** 1, 2, 4, 5, 5 … s. During an update the agent that goes still has the port; load balancers notice what takes longer. */
function backOff(failures: number): number {
  return Math.min(5_000, 1_000 * 2 ** (failures - 1));
}
