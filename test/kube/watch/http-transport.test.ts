import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { httpTransport } from '../../../src/kube/watch/http-transport.ts';

/** A long list: lines of one kilobyte, each written alone, as an API server does. */
const lines = 8_000;
const line = Buffer.from(`${'x'.repeat(1_023)}\n`);

let server: http.Server;

beforeEach(async () => {
  server = http.createServer((_, response) => {
    for (let sent = 0; sent < lines; sent += 1) response.write(line);
    response.end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});

afterEach(() => {
  server.close();
});

it('lets everything else have its turn while a long answer comes', async () => {
  const turns = watchTurns();
  const chunks = await receive((length) => turns.add(length));
  const { longest } = turns.end();
  expect(chunks.reduce((sum, length) => sum + length, 0)).toBe(lines * line.length);
  expect(longest).toBeLessThan(150_000);
});

it('lets everything else have its turn where a little takes long', async () => {
  const turns = watchTurns();
  const chunks = await receive(() => turns.add(oneMillisecond()));
  const { count, longest } = turns.end();
  expect(count).toBeGreaterThan(chunks.length / 12);
  expect(longest).toBeLessThan(12);
});

it('takes no more in a turn where several answers come at once', async () => {
  const turns = watchTurns();
  const answers = await receiveSeveral(4, () => turns.add(oneMillisecond()));
  const { longest } = turns.end();
  expect(answers.map((chunks) => chunks.reduce((sum, length) => sum + length, 0))).toEqual(
    Array.from({ length: 4 }, () => lines * line.length),
  );
  // The beginning of each is taken at once.
  expect(longest).toBeLessThan(12);
});

it('asks for one thing in a turn', async () => {
  const turns = watchTurns();
  const asked = (): void => turns.add(1);
  subscribe('http.client.request.start', asked);
  const answers = await receiveSeveral(4, () => {});
  unsubscribe('http.client.request.start', asked);
  expect(answers).toHaveLength(4);
  expect(turns.end().longest).toBe(1);
});

it('takes the beginning of an answer in small pieces, in another turn than its head', async () => {
  const turns = watchTurns();
  const chunks: { readonly length: number; readonly turn: number }[] = [];
  let headTurn = Number.NaN;
  const onHead = (): void => {
    headTurn = turns.count();
  };
  await receiveSeveral(1, (length) => chunks.push({ length, turn: turns.count() }), onHead);
  turns.end();
  expect(chunks[0]?.turn).toBeGreaterThan(headTurn);
  expect(Math.max(...chunks.slice(0, 32).map(({ length }) => length))).toBeLessThanOrEqual(1_024);
});

it('takes at once what came at once, however the server cut it', async () => {
  const chunks = await receive(() => {});
  expect(chunks.length).toBeLessThan(lines / 4);
});

it('takes nothing more once it is cancelled', async () => {
  const { port } = server.address() as AddressInfo;
  const access = { url: new URL(`http://127.0.0.1:${port}`), agent: new http.Agent(), headers: {} };
  const transport = httpTransport({ read: async () => access, forget: () => {}, close: () => {} });
  let told = 0;
  const count = (): void => {
    told += 1;
    cancel();
  };
  const cancel = transport.get('/', { head: () => {}, chunk: count, end: count });
  await vi.waitFor(() => expect(told).toBe(1));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(told).toBe(1);
});

interface Turns {
  add(amount: number): void;
  count(): number;
  end(): { readonly count: number; readonly longest: number };
}

/** Sums up what happens in each turn of the event loop, until its end. */
function watchTurns(): Turns {
  let [count, sum, longest] = [0, 0, 0];
  let counter = setImmediate(function next() {
    count += 1;
    longest = Math.max(longest, sum);
    sum = 0;
    counter = setImmediate(next);
  });
  return {
    add: (amount) => {
      sum += amount;
    },
    count: () => count,
    end: () => {
      clearImmediate(counter);
      return { count, longest };
    },
  };
}

function oneMillisecond(): number {
  const end = performance.now() + 1;
  while (performance.now() < end);
  return 1;
}

/** The lengths of the chunks of a whole answer, each told as it comes. */
async function receive(onChunk: (length: number) => void): Promise<readonly number[]> {
  return (await receiveSeveral(1, onChunk))[0] ?? [];
}

/** The same for several answers to one transport at the same time. */
function receiveSeveral(
  count: number,
  onChunk: (length: number) => void,
  onHead = (): void => {},
): Promise<readonly (readonly number[])[]> {
  const { port } = server.address() as AddressInfo;
  const access = { url: new URL(`http://127.0.0.1:${port}`), agent: new http.Agent(), headers: {} };
  const transport = httpTransport({ read: async () => access, forget: () => {}, close: () => {} });
  const receiveOne = (): Promise<readonly number[]> => {
    const chunks: number[] = [];
    return new Promise((resolve, reject) => {
      transport.get('/', {
        head: onHead,
        chunk: ({ length }) => {
          chunks.push(length);
          onChunk(length);
        },
        end: (failure) => (failure === undefined ? resolve(chunks) : reject(new Error(failure.message))),
      });
    });
  };
  return Promise.all(Array.from({ length: count }, receiveOne));
}
