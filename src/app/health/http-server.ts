/** A small HTTP server for probes and scrapers: fixed paths, any method, small replies. */

import { createServer, type RequestListener, type Server } from 'node:http';
import type { BindAddress } from '../config/config.ts';

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Undefined: no such path. The path comes without its query. */
export type Handler = (path: string) => Reply | undefined;

export interface HttpServerInput {
  readonly bind: BindAddress;
  readonly handler: Handler;
  readonly onListening: (bound: BindAddress) => void;
  /** The address is taken or not ours (yet); tried again after `retryInMs`. */
  readonly onBindFailure: (error: Error, retryInMs: number) => void;
  /** Milliseconds until the next attempt after so many failed ones in a row; kube-proxy's 5 s when left out. */
  readonly retryMs?: (failures: number) => number;
  /** `::` stands for IPv6 alone. Otherwise for IPv4 too, as the system is set. */
  readonly ipv6Only?: boolean;
}

export interface HttpServer {
  /** Stops listening and ends what is open. Resolves when the port is free. */
  close(): Promise<void>;
}

const usualRetryMs = 5_000;

/** Starts the server; a port that cannot be bound is tried for again until it can, or until `close`. */
export function serveHttp(input: HttpServerInput): HttpServer {
  const retryMs = input.retryMs ?? (() => usualRetryMs);
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, listener(input.handler));
  server.maxConnections = 256;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let failures = 0;
  server.on('error', (error) => {
    if (!isClosed) {
      failures += 1;
      const retryInMs = retryMs(failures);
      input.onBindFailure(error, retryInMs);
      timer = setTimeout(() => listen(server, input), retryInMs);
    }
  });
  server.on('listening', () => {
    failures = 0;
    input.onListening(boundAddress(server, input.bind));
  });
  listen(server, input);
  return {
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await closeServer(server);
    },
  };
}

function listen(server: Server, { bind: { address, port }, ipv6Only = false }: HttpServerInput): void {
  // Without a host Node listens on both families, or on IPv4 where IPv6 is switched off.
  server.listen(address === '' ? { port } : { port, host: address, ipv6Only });
}

function boundAddress(server: Server, wanted: BindAddress): BindAddress {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? { address: bound.address, port: bound.port } : wanted;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // The only error is that it was not listening.
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function listener(handler: Handler): RequestListener {
  return (request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const { status, contentType, body, headers } = answer(handler, path);
    request.resume();
    response.writeHead(status, {
      'Content-Type': contentType,
      'X-Content-Type-Options': 'nosniff',
      ...headers,
      'Content-Length': Buffer.byteLength(body),
    });
    response.end(body);
  };
}

/** A fault in a handler must not end the agent: the dataplane does not depend on a scrape. */
function answer(handler: Handler, path: string): Reply {
  try {
    return handler(path) ?? { status: 404, contentType: 'text/plain; charset=utf-8', body: '404 page not found\n' };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { status: 500, contentType: 'text/plain; charset=utf-8', body: `${message}\n` };
  }
}
