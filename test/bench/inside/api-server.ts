/** As much of an API server as a list and a watch need, over plain HTTP on loopback. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Size } from '../result.ts';
import { type ApiObject, nodeObject, serviceObject, sliceObject } from './objects.ts';

export interface ApiServer {
  readonly url: string;
  /** Makes up a watch line and returns what writes it on every watch of EndpointSlices; no buffering in between. */
  prepareSlice(service: number, endpoints: number): () => void;
  /** The same for any Service or EndpointSlice. What is listed stays as it was. */
  prepare(type: WatchEvent, object: ApiObject): () => void;
  close(): void;
}

type WatchEvent = 'ADDED' | 'MODIFIED' | 'DELETED';

/** Serves the cluster of that size. */
export async function serveApi(size: Size): Promise<ApiServer> {
  const state: State = { size, watches: new Map(), version: 1 };
  const prepare = (type: WatchEvent, object: ApiObject) => {
    state.version += 1;
    const bytes = Buffer.from(line(type, withVersion(object, state.version)));
    return () => state.watches.get(object['kind'])?.forEach((watch) => watch.write(bytes));
  };
  const server = createServer((request, response) => answer(state, request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    prepareSlice: (service, endpoints) => prepare('MODIFIED', sliceObject(size, service, endpoints, 1)),
    prepare,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

interface State {
  readonly size: Size;
  /** Open watches by the kind of the objects. */
  readonly watches: Map<unknown, Set<ServerResponse>>;
  version: number;
}

function portOf(server: Server): number {
  // A server that listens on TCP has an address of this shape (node:net).
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (server.address() as AddressInfo).port;
}

function answer(state: State, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const collection = collectionOf(state.size, url.pathname);
  if (collection === undefined) {
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end('{"kind":"Status","status":"Failure","reason":"NotFound","code":404}');
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  if (url.searchParams.get('watch') === null) {
    const metadata = { resourceVersion: `${state.version}` };
    response.end(JSON.stringify({ kind: `${collection.kind}List`, metadata, items: [...collection.objects()] }));
    return;
  }
  response.socket?.setNoDelay(true);
  if (url.searchParams.get('sendInitialEvents') === 'true') {
    void stream(response, collection, state.version);
  } else {
    response.flushHeaders();
  }
  const watches = state.watches.get(collection.kind) ?? new Set();
  state.watches.set(collection.kind, watches.add(response));
  response.on('close', () => watches.delete(response));
}

interface Collection {
  readonly apiVersion: string;
  readonly kind: string;
  readonly objects: () => Iterable<ApiObject>;
}

function collectionOf(size: Size, path: string): Collection | undefined {
  switch (path) {
    case '/api/v1/services':
      return { apiVersion: 'v1', kind: 'Service', objects: () => each(size, (index) => serviceObject(size, index)) };
    case '/apis/discovery.k8s.io/v1/endpointslices':
      return {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        objects: () => each(size, (index) => sliceObject(size, index, size.endpoints, 1)),
      };
    case '/api/v1/nodes':
      return { apiVersion: 'v1', kind: 'Node', objects: () => [nodeObject(size)] };
    default:
      return undefined;
  }
}

function* each(size: Size, make: (index: number) => ApiObject): Iterable<ApiObject> {
  for (let index = 0; index < size.services; index += 1) {
    yield make(index);
  }
}

/** The initial events of a WatchList (KEP-3157), up to the bookmark that ends them. */
async function stream(response: ServerResponse, collection: Collection, version: number): Promise<void> {
  for (const object of collection.objects()) {
    if (!response.write(line('ADDED', object))) {
      await once(response, 'drain');
    }
  }
  const metadata = { resourceVersion: `${version}`, annotations: { 'k8s.io/initial-events-end': 'true' } };
  response.write(line('BOOKMARK', { apiVersion: collection.apiVersion, kind: collection.kind, metadata }));
}

function withVersion(object: ApiObject, version: number): ApiObject {
  // Every object here is made with metadata (objects.ts).
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const metadata = object['metadata'] as ApiObject;
  return { ...object, metadata: { ...metadata, resourceVersion: `${version}` } };
}

function line(type: string, object: ApiObject): string {
  return `${JSON.stringify({ type, object })}\n`;
}
