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
  let [bytesOfTurn, longestTurn] = [0, 0];
  let counter = setImmediate(function next() {
    longestTurn = Math.max(longestTurn, bytesOfTurn);
    bytesOfTurn = 0;
    counter = setImmediate(next);
  });
  const chunks = await receive((length) => {
    bytesOfTurn += length;
  });
  clearImmediate(counter);
  expect(chunks.reduce((sum, length) => sum + length, 0)).toBe(lines * line.length);
  expect(longestTurn).toBeLessThan(150_000);
});

it('lets everything else have its turn where a little takes long', async () => {
  let [turns, chunksOfTurn, longestTurn] = [0, 0, 0];
  let counter = setImmediate(function next() {
    turns += 1;
    longestTurn = Math.max(longestTurn, chunksOfTurn);
    chunksOfTurn = 0;
    counter = setImmediate(next);
  });
  const chunks = await receive(() => {
    chunksOfTurn += 1;
    const end = performance.now() + 1;
    while (performance.now() < end);
  });
  clearImmediate(counter);
  expect(turns).toBeGreaterThan(chunks.length / 12);
  expect(longestTurn).toBeLessThan(12);
});

it('takes no more in a turn where several answers come at once', async () => {
  let [chunksOfTurn, longestTurn] = [0, 0];
  let counter = setImmediate(function next() {
    longestTurn = Math.max(longestTurn, chunksOfTurn);
    chunksOfTurn = 0;
    counter = setImmediate(next);
  });
  const answers = await receiveSeveral(4, () => {
    chunksOfTurn += 1;
    const end = performance.now() + 1;
    while (performance.now() < end);
  });
  clearImmediate(counter);
  expect(answers.map((chunks) => chunks.reduce((sum, length) => sum + length, 0))).toEqual(
    Array.from({ length: 4 }, () => lines * line.length),
  );
  // The beginning of each is taken at once.
  expect(longestTurn).toBeLessThan(12);
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

/** The lengths of the chunks of a whole answer, each told as it comes. */
async function receive(onChunk: (length: number) => void): Promise<readonly number[]> {
  return (await receiveSeveral(1, onChunk))[0] ?? [];
}

/** The same for several answers to one transport at the same time. */
function receiveSeveral(count: number, onChunk: (length: number) => void): Promise<readonly (readonly number[])[]> {
  const { port } = server.address() as AddressInfo;
  const access = { url: new URL(`http://127.0.0.1:${port}`), agent: new http.Agent(), headers: {} };
  const transport = httpTransport({ read: async () => access, forget: () => {}, close: () => {} });
  const receiveOne = (): Promise<readonly number[]> => {
    const chunks: number[] = [];
    return new Promise((resolve, reject) => {
      transport.get('/', {
        head: () => {},
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
