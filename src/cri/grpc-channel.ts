/** Calls of gRPC over a Unix socket, one message each way (github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). */

import { type ClientHttp2Session, connect as connectHttp2, constants, type IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';

/** Why a call brought no answer. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly status: GrpcStatus;

  constructor(status: GrpcStatus, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** A number of google.rpc.Code, or what happened before there was one. */
export type GrpcStatus = number | 'no-connection' | 'no-answer' | 'not-legible';

export interface GrpcChannel {
  /** Rejects with GrpcError. */
  call(path: string, message: Uint8Array): Promise<Uint8Array>;
  close(): void;
}

export interface GrpcChannelOptions {
  readonly socket: string;
  readonly timeoutMs: number;
  /** Longer answers are refused. */
  readonly longestAnswer: number;
}

/** Connects with the first call, and again with the next one when the connection broke. */
export function openGrpcChannel(options: GrpcChannelOptions): GrpcChannel {
  let session: ClientHttp2Session | undefined;
  const connected = (): ClientHttp2Session => {
    if (session === undefined || session.closed || session.destroyed) {
      session = connectHttp2('http://localhost', { createConnection: () => connect(options.socket) });
      // What went wrong reaches the calls; nobody else has to know.
      session.on('error', () => {});
    }
    return session;
  };
  return {
    call: (path, message) => call(connected(), options, { path, message }),
    close: () => session?.destroy(),
  };
}

interface Asked {
  readonly path: string;
  readonly message: Uint8Array;
}

function call(session: ClientHttp2Session, options: GrpcChannelOptions, { path, message }: Asked): Promise<Uint8Array> {
  const { timeoutMs, longestAnswer } = options;
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${timeoutMs}m`,
    });
    const chunks: Buffer[] = [];
    let length = 0;
    let told: IncomingHttpHeaders = {};
    const timer = setTimeout(() => fail(new GrpcError('no-answer', `none within ${timeoutMs / 1000} s`)), timeoutMs);
    const fail = (error: GrpcError): void => {
      clearTimeout(timer);
      reject(error);
      stream.close(constants.NGHTTP2_CANCEL);
    };
    stream.on('error', (error: Error) => fail(new GrpcError('no-connection', reasonOf(error), { cause: error })));
    stream.on('response', (headers) => {
      told = { ...told, ...headers };
    });
    stream.on('trailers', (headers: IncomingHttpHeaders) => {
      told = { ...told, ...headers };
    });
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > longestAnswer) {
        fail(new GrpcError('not-legible', `one of more than ${longestAnswer} bytes`));
      }
    });
    stream.on('close', () => {
      clearTimeout(timer);
      const outcome = readAnswer(told, Buffer.concat(chunks));
      if (outcome instanceof GrpcError) {
        reject(outcome);
      } else {
        resolve(outcome);
      }
    });
    stream.end(framed(message));
  });
}

const headerLength = 5;

/** A byte that says whether it is compressed, and the length. */
function framed(message: Uint8Array): Buffer {
  const header = Buffer.alloc(headerLength);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

function readAnswer(headers: IncomingHttpHeaders, body: Buffer): Uint8Array | GrpcError {
  const status = headers['grpc-status'];
  if (headers[':status'] === undefined) {
    return new GrpcError('no-connection', 'a connection that broke');
  }
  if (typeof status !== 'string') {
    return new GrpcError('not-legible', `an answer of HTTP (${Number(headers[':status'])}) that is none of gRPC`);
  }
  if (status !== '0') {
    return new GrpcError(Number(status), decoded(headers['grpc-message']));
  }
  const isWhole = body.length >= headerLength && body[0] === 0 && body.readUInt32BE(1) === body.length - headerLength;
  return isWhole
    ? body.subarray(headerLength)
    : new GrpcError('not-legible', `${body.length} bytes that are no message of gRPC`);
}

/** Percent-encoded; a server that writes it wrong is quoted as it is. */
function decoded(text: string | readonly string[] | undefined): string {
  const raw = typeof text === 'string' ? text : '';
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw;
  }
}

/** A session that cannot connect cancels its streams, with the error of the socket as the cause. */
function reasonOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}
