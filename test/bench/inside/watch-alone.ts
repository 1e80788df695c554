/**
 * A program that watches the same objects as the agent, over connections as the agent makes them, parses what comes and
 * keeps it under its name, and does nothing else. Tells its parent when it has all lists. Argument: the URL of the API
 * server, as JSON.
 */

import http from 'node:http';
import { httpTransport } from '../../../src/kube/watch/http-transport.ts';
import { createLineSplitter } from '../../../src/kube/watch/lines.ts';
import { readArgument } from './child.ts';

const paths = ['/api/v1/services', '/apis/discovery.k8s.io/v1/endpointslices', '/api/v1/nodes'];
const longestLine = 1_048_576;

const access = { url: new URL(readArgument<string>()), agent: new http.Agent({ keepAlive: true }), headers: {} };
const transport = httpTransport({ read: async () => access, forget: () => {}, close: () => {} });
await Promise.all(paths.map(watch));
process.send?.('listed');

interface WatchEvent {
  readonly type: string;
  readonly object: { readonly metadata: { readonly name: string } };
}

/** Resolves when the list is complete; what comes after it is kept, too. */
function watch(path: string): Promise<void> {
  const kept = new Map<string, WatchEvent['object']>();
  return new Promise((resolve) => {
    const split = createLineSplitter(longestLine, (line) => {
      // The API server of the benchmark writes them so.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const { type, object } = JSON.parse(line) as WatchEvent;
      if (type === 'BOOKMARK') {
        resolve();
      } else {
        kept.set(object.metadata.name, object);
      }
    });
    transport.get(`${path}?watch=true&sendInitialEvents=true`, { head: () => {}, chunk: split, end: () => {} });
  });
}
