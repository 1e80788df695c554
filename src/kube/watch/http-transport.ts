/** The transport over `node:http` and `node:https`, one keep-alive agent for all requests. */

import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';

import { messageOf } from '../message-of.ts';
import type { Access, Credentials } from './credentials.ts';
import type { ResponseHandlers, Transport } from './transport.ts';
import { createTurns } from './turns.ts';

/** `credentials` are asked before each request, so that a rotated token is used without a dropped watch. */
export function httpTransport(credentials: Credentials): Transport {
  // All kinds are asked for, and their lists come, at the same time.
  const inTurn = createTurns();
  return {
    get: (path, handlers) => {
      const exchange = new HttpExchange(path, handlers, inTurn);
      void credentials.read().then(
        (access) => inTurn(() => exchange.send(access)),
        (error: unknown) => exchange.end('credentials-unusable', messageOf(error)),
      );
      return () => exchange.cancel();
    },
    forgetCredentials: () => credentials.forget(),
    close: () => credentials.close(),
  };
}

/** Notices a peer that is gone on connections that carry nothing, below the idle deadline of the reflectors. */
const tcpKeepAliveMs = 10_000;

/**
 * After so many bytes of an answer, or so long, everything else has its turn. libuv reads a socket up to 32 times in a
 * row, 2 MiB of a list, which take a hundred times as long to be read as objects, and longer while the code is young.
 */
const [turnBytes, turnMs] = [32_768, 4];

/**
 * Taken at once, before the clock is looked at; an event is smaller. The first objects of an answer take much longer than
 * later ones: the code that reads them runs for the first time.
 */
const [pieceBytes, firstPieceBytes] = [8_192, 1_024];
/** So much of an answer is taken in small pieces. */
const firstBytes = 32_768;

/** Owns one request; after its end or a cancel it is silent. */
class HttpExchange {
  readonly #path: string;
  readonly #handlers: ResponseHandlers;
  readonly #inTurn: (action: () => void) => void;
  #request: ClientRequest | undefined;
  #isOver = false;
  #hasHead = false;
  /** Of the answer. */
  #bytes = 0;
  #bytesOfTurn = 0;
  #isWaiting = false;

  constructor(path: string, handlers: ResponseHandlers, inTurn: (action: () => void) => void) {
    this.#path = path;
    this.#handlers = handlers;
    this.#inTurn = inTurn;
  }

  send(access: Access): void {
    if (this.#isOver) {
      return;
    }
    const send = access.url.protocol === 'https:' ? https.request : http.request;
    const request = send(urlOf(access.url, this.#path), { agent: access.agent, headers: access.headers });
    this.#request = request;
    request.on('socket', (socket) => {
      socket.setKeepAlive(true, tcpKeepAliveMs);
      socket.setNoDelay(true);
    });
    request.on('response', (response) => this.#receive(response));
    request.on('error', (error) => this.#fail(error, request, access));
    request.end();
  }

  cancel(): void {
    this.#isOver = true;
    this.#request?.destroy();
  }

  end(code: 'credentials-unusable' | 'unreachable' | 'connection-lost' | undefined, message = ''): void {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#handlers.end(code === undefined ? undefined : { code, message });
    }
  }

  /** A kept connection may have been closed by the server just now; that says nothing about the server. */
  #fail(error: Error, request: ClientRequest, access: Access): void {
    if (request.reusedSocket && !this.#hasHead && 'code' in error && error.code === 'ECONNRESET') {
      this.send(access);
    } else {
      this.end(this.#hasHead ? 'connection-lost' : 'unreachable', messageOf(error));
    }
  }

  #receive(response: IncomingMessage): void {
    this.#hasHead = true;
    const retryAfterSeconds = Number(response.headers['retry-after'] ?? Number.NaN);
    // Not by 'data': the server sends each object in an HTTP chunk of its own, and all that came at once is taken at once.
    response.on('readable', () => this.#takeInTurn(response));
    response.on('end', () => this.end(undefined));
    response.on('error', (error) => this.end('connection-lost', messageOf(error)));
    response.on('close', () => this.end('connection-lost', 'the connection was closed within the response'));
    if (!this.#isOver) {
      this.#handlers.head({
        status: response.statusCode ?? 0,
        retryAfterMs: retryAfterSeconds >= 0 ? retryAfterSeconds * 1000 : undefined,
      });
    }
  }

  /**
   * Small events are taken as they come, until they are many. What is longer is taken with the clock in view, and so is how an
   * answer begins, which is mostly a list.
   */
  #takeInTurn(response: IncomingMessage): void {
    if (this.#isWaiting) {
      return;
    }
    const hasTurn = this.#bytes > 0 && this.#bytesOfTurn < turnBytes;
    if (!hasTurn || (this.#take(response) && response.readableLength > 0)) {
      this.#goOnLater(response);
    }
  }

  #goOnLater(response: IncomingMessage): void {
    this.#isWaiting = true;
    this.#inTurn(() => {
      this.#isWaiting = false;
      this.#bytesOfTurn = 0;
      const began = performance.now();
      while (this.#take(response) && response.readableLength > 0) {
        if (performance.now() - began >= turnMs) {
          this.#goOnLater(response);
          return;
        }
      }
    });
  }

  /** Whether there was something to take, and somebody who wants it. */
  #take(response: IncomingMessage): boolean {
    // Asked for all that is left, and only then, the stream tells of its end.
    const most = this.#bytes < firstBytes ? firstPieceBytes : pieceBytes;
    const bytes: unknown = response.read(response.readableLength > most ? most : undefined);
    if (!(bytes instanceof Buffer) || this.#isOver) {
      return false;
    }
    this.#bytes += bytes.length;
    this.#bytesOfTurn += bytes.length;
    this.#handlers.chunk(bytes);
    return true;
  }
}

/** A server's address may itself have a path, behind a gateway for several clusters. */
export function urlOf(server: URL, path: string): URL {
  return new URL(`${server.origin}${server.pathname.replace(/\/+$/, '')}${path}`);
}
