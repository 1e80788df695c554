/**
 * As much of an API server as a list and a watch need, over plain HTTP on loopback. What it sends when a watch begins is
 * made up before: a real one does that on another machine, this one would do it on the only processor of the agent.
 */

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
  const version = 1;
  const state: State = { collections: collections(size, version), watches: new Map(), version };
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
  readonly collections: ReadonlyMap<string, Collection>;
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
  const collection = state.collections.get(url.pathname);
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
  response.flushHeaders();
  if (url.searchParams.get('sendInitialEvents') === 'true') {
    void stream(response, collection.initialEvents);
  }
  const watches = state.watches.get(collection.kind) ?? new Set();
  state.watches.set(collection.kind, watches.add(response));
  response.on('close', () => watches.delete(response));
}

interface Collection {
  readonly kind: string;
  readonly objects: () => Iterable<ApiObject>;
  /** The initial events of a WatchList (KEP-3157), up to the bookmark that ends them, each in an HTTP chunk of its own. */
  readonly initialEvents: readonly Buffer[];
}

function collections(size: Size, version: number): ReadonlyMap<string, Collection> {
  const slices = 'discovery.k8s.io/v1';
  const collection = (apiVersion: string, kind: string, objects: Collection['objects']): Collection => {
    const metadata = { resourceVersion: `${version}`, annotations: { 'k8s.io/initial-events-end': 'true' } };
    const bookmark = line('BOOKMARK', { apiVersion, kind, metadata });
    return { kind, objects, initialEvents: [...inPieces(objects(), bookmark)] };
  };
  return new Map([
    ['/api/v1/services', collection('v1', 'Service', () => each(size, (index) => serviceObject(size, index)))],
    [
      `/apis/${slices}/endpointslices`,
      collection(slices, 'EndpointSlice', () => each(size, (index) => sliceObject(size, index, size.endpoints, 1))),
    ],
    ['/api/v1/nodes', collection('v1', 'Node', () => [nodeObject(size)])],
  ]);
}

function* each(size: Size, make: (index: number) => ApiObject): Iterable<ApiObject> {
  for (let index = 0; index < size.services; index += 1) {
    yield make(index);
  }
}

/** What is sent with one write. */
const pieceBytes = 65_536;

function* inPieces(objects: Iterable<ApiObject>, bookmark: string): Iterable<Buffer> {
  let piece = '';
  for (const object of objects) {
    piece += httpChunk(line('ADDED', object));
    if (piece.length >= pieceBytes) {
      yield Buffer.from(piece);
      piece = '';
    }
  }
  yield Buffer.from(piece + httpChunk(bookmark));
}

/** RFC 9112, section 7.1. */
function httpChunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

/** Past the response, which would make chunks of its own. */
async function stream({ socket }: ServerResponse, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    if (socket?.write(piece) === false) {
      await once(socket, 'drain');
    }
  }
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
