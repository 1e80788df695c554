/** Sends Events over `node:http` and `node:https`, on connections of their own: no watch waits for one. */

import http from 'node:http';
import https from 'node:https';
import { type Access, type ConfigReader, openCredentials } from '../watch/credentials.ts';
import { urlOf } from '../watch/http-transport.ts';
import type { EventRequest, EventTransport } from './event-recorder.ts';

/** Nobody waits for an Event, but one that hangs holds up the others. */
const deadlineMs = 10_000;

const contentTypes = { POST: 'application/json', PATCH: 'application/merge-patch+json' } as const;

export function httpEvents(reader: ConfigReader): EventTransport {
  const credentials = openCredentials(reader);
  return {
    send: async (request) => {
      const status = await exchange(await credentials.read(), request);
      if (status === 401) {
        credentials.forget();
      }
      return status;
    },
    close: () => credentials.close(),
  };
}

function exchange(access: Access, { method, path, body }: EventRequest): Promise<number> {
  const send = access.url.protocol === 'https:' ? https.request : http.request;
  const text = JSON.stringify(body);
  const headers = {
    ...access.headers,
    'Content-Type': contentTypes[method],
    'Content-Length': Buffer.byteLength(text),
  };
  return new Promise((resolve, reject) => {
    const request = send(
      urlOf(access.url, path),
      { agent: access.agent, method, headers, signal: AbortSignal.timeout(deadlineMs) },
      (response) => {
        response.on('error', reject);
        response.on('end', () => resolve(response.statusCode ?? 0));
        response.resume();
      },
    );
    request.on('error', reject);
    request.end(text);
  });
}
