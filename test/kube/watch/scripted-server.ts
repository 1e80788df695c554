/** A real HTTP server that answers each request for Services as the test says; the other kinds are empty and quiet. */

import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { at, rawService } from '../objects.ts';

export type Answer = (response: ServerResponse, request: ScriptedRequest) => void;

export interface ScriptedRequest {
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
}

export interface ScriptedServer {
  readonly url: string;
  /** Those for Services, in order. */
  readonly requests: readonly ScriptedRequest[];
  /** Connections made so far, of any kind. */
  connections(): number;
  close(): Promise<void>;
}

/** The last answer is given to all further requests. `others` answers those for other kinds, by path. */
export async function startScriptedServer(
  answers: readonly Answer[],
  others: ReadonlyMap<string, Answer> = new Map(),
): Promise<ScriptedServer> {
  const requests: ScriptedRequest[] = [];
  let connections = 0;
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const scripted = { query: url.searchParams, authorization: request.headers.authorization };
    if (url.pathname === '/api/v1/services') {
      requests.push(scripted);
      answers[Math.min(requests.length, answers.length) - 1]?.(response, scripted);
    } else {
      const answer = others.get(url.pathname) ?? quietKind;
      answer(response, scripted);
    }
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function quietKind(response: ServerResponse): void {
  response.write(bookmark(1, true));
}

export function line(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`;
}

export function bookmark(resourceVersion: number, endsList = false): string {
  const annotations = endsList ? { 'k8s.io/initial-events-end': 'true' } : {};
  return line('BOOKMARK', { kind: 'Service', metadata: { resourceVersion: `${resourceVersion}`, annotations } });
}

export function added(name: string, resourceVersion: number): string {
  return line('ADDED', at(resourceVersion, rawService(name)));
}

/** The whole list as a stream, left open. */
export function streamedList(names: readonly string[], resourceVersion: number, ...more: readonly string[]): Answer {
  return (response) => {
    response.write(names.map((name) => added(name, 1)).join('') + bookmark(resourceVersion, true) + more.join(''));
  };
}

/** Lines, then nothing more; left open. */
export function stream(...lines: readonly (string | Buffer)[]): Answer {
  return (response) => {
    response.flushHeaders();
    lines.forEach((each) => response.write(each));
  };
}

/** Ends the response after `answer`. */
export function ended(answer: Answer): Answer {
  return (response, request) => {
    answer(response, request);
    response.end();
  };
}

/** Resets the connection once what `answer` wrote is out. */
export function reset(answer: Answer): Answer {
  return (response, request) => {
    answer(response, request);
    setTimeout(() => response.socket?.resetAndDestroy(), 20);
  };
}

export function status(code: number, fields: object = {}, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(code, { 'Content-Type': 'application/json', ...headers });
    response.end(JSON.stringify({ kind: 'Status', status: 'Failure', code, ...fields }));
  };
}

export function page(names: readonly string[], resourceVersion: number, token = ''): Answer {
  return (response) => {
    const items = names.map((name) => rawService(name));
    response.end(
      JSON.stringify({ kind: 'List', metadata: { resourceVersion: `${resourceVersion}`, continue: token }, items }),
    );
  };
}

/** Takes the request and says nothing. */
export const blackHole: Answer = () => {};
