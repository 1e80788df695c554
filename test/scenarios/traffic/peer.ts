/** The hand that moves `peer.py`: servers and clients in any network namespace. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Protocol } from '../manifests.ts';

/** Where a request goes and how. */
export interface Request {
  /** The network namespace that it comes from. */
  readonly namespace: string;
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  /** How many, one after the other, each from a socket of its own; 1 unless said. */
  readonly count?: number;
  /** Silence for so long is the answer. */
  readonly patienceMs: number;
}

/** Which pod answered and the source address it saw; or `ECONNREFUSED`, `silence`, … */
export type Outcome = { readonly pod: string; readonly saw: string } | { readonly failure: string };

/** A connection over which a request goes every 20 ms. */
export interface Pump {
  readonly exchanges: number;
  readonly longestMs: number;
  readonly failure: string | null;
}

export interface Peer {
  readonly serve: (server: {
    readonly namespace: string;
    readonly name: string;
    readonly port: number;
    readonly protocols: readonly Protocol[];
  }) => Promise<void>;
  readonly ask: (request: Request) => Promise<readonly Outcome[]>;
  /** All at once; the answers in the order of the requests. */
  readonly askAll: (asks: readonly Request[]) => Promise<readonly (readonly Outcome[])[]>;
  /** Opens a connection, sends one request and keeps it open under `name`. */
  readonly hold: (request: Request & { readonly name: string }) => Promise<Outcome>;
  /** One more request through a held connection. */
  readonly resume: (name: string, patienceMs: number) => Promise<Outcome>;
  readonly release: (name: string) => Promise<void>;
  /** Keeps a held connection busy. */
  readonly startPump: (name: string) => Promise<void>;
  readonly readPump: (name: string) => Promise<Pump>;
  readonly stopPump: (name: string) => Promise<Pump>;
  /** Requests at a steady rate, each from a socket of its own, until stopped. */
  readonly startStream: (request: Request & { readonly name: string; readonly perSecond: number }) => Promise<void>;
  readonly stopStream: (name: string) => Promise<readonly Outcome[]>;
  readonly stop: () => Promise<void>;
}

export function startPeer(): Peer {
  const program = fileURLToPath(new URL('./peer.py', import.meta.url));
  const child = spawn('python3', [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const order = conversation(child);
  // What comes back has the shape that peer.py gives it: the two are one program in two languages.
  /* oxlint-disable typescript/no-unsafe-type-assertion */
  return {
    serve: async (server) => void (await order('serve', server)),
    ask: async (request) => (await order('ask', request)) as readonly Outcome[],
    askAll: async (asks) => (await order('askAll', { asks })) as readonly (readonly Outcome[])[],
    hold: async (request) => (await order('hold', request)) as Outcome,
    resume: async (name, patienceMs) => (await order('resume', { name, patienceMs })) as Outcome,
    release: async (name) => void (await order('release', { name })),
    startPump: async (name) => void (await order('startPump', { name })),
    readPump: async (name) => (await order('readPump', { name })) as Pump,
    stopPump: async (name) => (await order('stopPump', { name })) as Pump,
    startStream: async (request) => void (await order('startStream', request)),
    stopStream: async (name) => (await order('stopStream', { name })) as readonly Outcome[],
    stop: async () => {
      child.stdin.end();
      if (child.exitCode === null) {
        await once(child, 'exit');
      }
    },
  };
  /* oxlint-enable typescript/no-unsafe-type-assertion */
}

interface Reply {
  readonly number: number;
  readonly result?: unknown;
  readonly error?: string;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

function conversation(child: ChildProcess): (verb: string, rest: object) => Promise<unknown> {
  const waiting = new Map<number, Waiting>();
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) {
    throw new Error('expected a peer with pipes');
  }
  createInterface({ input: stdout }).on('line', (line) => {
    // Written by peer.py.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { number, result, error } = JSON.parse(line) as Reply;
    const asked = waiting.get(number);
    waiting.delete(number);
    if (error === undefined) {
      asked?.resolve(result);
    } else {
      asked?.reject(new Error(error));
    }
  });
  child.on('exit', (code) => {
    for (const { reject } of waiting.values()) {
      reject(new Error(`the peer ended with status ${code}`));
    }
  });
  let last = 0;
  return (verb, rest) => {
    last += 1;
    const number = last;
    stdin.write(`${JSON.stringify({ number, verb, ...rest })}\n`);
    return new Promise((resolve, reject) => waiting.set(number, { resolve, reject }));
  };
}
