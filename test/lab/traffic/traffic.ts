import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { trafficProgram } from '../../prerequisites/traffic.ts';
import { type Failure, isAnswer, parseResult, type RequestResult, type Target } from './result.ts';

/** How requests are sent. */
export interface RequestOptions {
  /** After so long there was no answer: 1000 ms unless told. */
  readonly deadlineMs?: number;
  /** The sender's address; without it the routes choose. */
  readonly source?: string;
  /** The sender's port; without it the kernel chooses. */
  readonly sourcePort?: number;
}

/** Requests that go on by themselves: each on its own connection, or all on one. */
export interface Flow {
  /** So far, in order. */
  readonly results: readonly RequestResult[];
  /** So far, in order. */
  readonly failures: readonly Failure[];
  /** Resolves with the next result; at once with the last one where a connection has ended. */
  readonly next: () => Promise<RequestResult>;
  /** Sends one more request on an established connection that has no interval; resolves with its result. */
  readonly exchange: () => Promise<RequestResult>;
  /** No more requests; the connection is closed. */
  readonly stop: () => Promise<void>;
}

/** What answers at one address and port. */
export interface Responder {
  /** Takes no new connections; those that are made go on. */
  readonly close: () => Promise<void>;
  /** Ends, with its connections, as a process does. */
  readonly drop: () => Promise<void>;
}

/** One process that answers and sends in every network namespace. `namespace` is a name, "-" is that of the tests. */
export interface Traffic {
  readonly listen: (namespace: string, at: Target, name: string) => Promise<Responder>;
  readonly request: (namespace: string, target: Target, options?: RequestOptions) => Promise<RequestResult>;
  /** A new connection, or a new UDP source port, every `intervalMs`. */
  readonly stream: (namespace: string, target: Target, options: RequestOptions & { intervalMs: number }) => Flow;
  /** One connection, or one UDP source port, with an exchange every `intervalMs`; only on demand without it. */
  readonly connect: (namespace: string, target: Target, options?: RequestOptions & { intervalMs?: number }) => Flow;
  /** Writes a file of /proc/sys/net as it is in that namespace. */
  readonly writeSysctl: (namespace: string, path: string, value: string) => Promise<void>;
  readonly end: () => Promise<void>;
}

/** Starts the program. It ends with the process that started it. */
export function startTraffic(): Traffic {
  const wire = openWire(spawn(trafficProgram(), { stdio: ['pipe', 'pipe', 'inherit'] }));
  return {
    listen: async (namespace, at, name) => {
      const handle = await wire.ask(`listen ${namespace} ${at.protocol} ${at.address} ${at.port} ${name}`);
      return {
        close: async () => void (await wire.ask(`close ${handle}`)),
        drop: async () => void (await wire.ask(`drop ${handle}`)),
      };
    },
    request: async (namespace, target, options = {}) => {
      const text = await new Promise<string>((resolve) => {
        const id = wire.send(`request ${sessionWords(namespace, target, options)}`, (line) => {
          wire.forget(id);
          resolve(line);
        });
      });
      return parseResult(text);
    },
    stream: (namespace, target, options) =>
      startFlow(wire, `stream ${sessionWords(namespace, target, options)}`, { endsByFailure: false }),
    connect: (namespace, target, options = {}) =>
      startFlow(wire, `connect ${sessionWords(namespace, target, options)}`, {
        endsByFailure: target.protocol !== 'UDP',
      }),
    writeSysctl: async (namespace, path, value) => void (await wire.ask(`write ${namespace} ${path} ${value}`)),
    end: wire.end,
  };
}

interface Wire {
  /** Sends a command; all lines that answer it go to `onLine`. Returns the command's id. */
  readonly send: (command: string, onLine: (line: string) => void) => string;
  readonly forget: (id: string) => void;
  /** Sends a command that is answered once, by "ok" and perhaps a word, which is returned, or by an error. */
  readonly ask: (command: string) => Promise<string>;
  readonly end: () => Promise<void>;
}

function openWire(program: ChildProcessByStdio<Writable, Readable, null>): Wire {
  const handlers = new Map<string, (line: string) => void>();
  let lastId = 0;
  createInterface({ input: program.stdout }).on('line', (line) => {
    const space = line.indexOf(' ');
    handlers.get(line.slice(0, space))?.(line.slice(space + 1));
  });
  const ended = once(program, 'close');
  program.on('close', () => {
    for (const handler of handlers.values()) handler('error the-program-ended');
  });
  const send: Wire['send'] = (command, onLine) => {
    const id = String(++lastId);
    handlers.set(id, onLine);
    program.stdin.write(`${id} ${command}\n`);
    return id;
  };
  return {
    send,
    forget: (id) => void handlers.delete(id),
    ask: (command) =>
      new Promise((resolve, reject) => {
        const id = send(command, (line) => {
          handlers.delete(id);
          const [outcome, word = ''] = line.split(' ');
          if (outcome === 'ok') resolve(word);
          else reject(new Error(`the traffic program refused "${command}": ${line}`));
        });
      }),
    end: async () => {
      handlers.clear();
      program.stdin.end();
      await ended;
    },
  };
}

function sessionWords(namespace: string, target: Target, options: RequestOptions & { intervalMs?: number }): string {
  const { deadlineMs = 1000, source = '-', sourcePort = 0, intervalMs = 0 } = options;
  return `${namespace} ${target.protocol} ${target.address} ${target.port} ${deadlineMs} ${source} ${sourcePort} ${intervalMs}`;
}

function startFlow(wire: Wire, command: string, { endsByFailure }: { readonly endsByFailure: boolean }): Flow {
  const results: RequestResult[] = [];
  const failures: Failure[] = [];
  let waiting: { readonly resolve: (result: RequestResult) => void; readonly reject: (error: unknown) => void }[] = [];
  const id = wire.send(command, (line) => {
    const settle = waiting;
    waiting = [];
    try {
      const result = parseResult(line);
      results.push(result);
      if (!isAnswer(result)) failures.push(result);
      for (const each of settle) each.resolve(result);
    } catch (error) {
      for (const each of settle) each.reject(error);
    }
  });
  const next = (): Promise<RequestResult> => {
    const [failure] = failures;
    if (endsByFailure && failure !== undefined) return Promise.resolve(failure);
    return new Promise<RequestResult>((resolve, reject) => waiting.push({ resolve, reject }));
  };
  return {
    results,
    failures,
    next,
    exchange: async () => {
      const result = next();
      await wire.ask(`exchange ${id}`).catch((error: unknown) => {
        waiting = [];
        throw error;
      });
      return result;
    },
    stop: async () => {
      await wire.ask(`stop ${id}`);
      wire.forget(id);
    },
  };
}
