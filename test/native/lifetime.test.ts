import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { openIpvsSockopt, openNetlink } from '../../native/index.ts';
import { noopMessages } from './messages.ts';
import { collectGarbage, openSockets } from './process-resources.ts';

const addon = fileURLToPath(new URL('../../build/Release/sluice.node', import.meta.url));

/** Plain JavaScript that opens watched sockets, for workers and child processes. */
const opened = `
  const { NetlinkSocket } = require(${JSON.stringify(addon)});
  const open = () => new NetlinkSocket(0, undefined, 0, 0, []);
  const noop = Buffer.from('10000000010005000100000000000000', 'hex');
  const handles = Array.from({ length: 20 }, open);
`;

describe('garbage collection', () => {
  it('closes sockets that nobody holds', async () => {
    const before = openSockets();
    openAndForget(300);
    expect(openSockets()).toBeGreaterThanOrEqual(before + 300);
    await collectGarbage();
    expect(openSockets()).toBeLessThan(before + 10);
  });

  it('keeps a watched socket, and takes it once it is no longer watched', async () => {
    const before = openSockets();
    let calls = 0;
    const send = watchAndForget(() => {
      calls += 1;
    });
    await collectGarbage();
    expect(openSockets()).toBe(before + 1);
    send();
    await collectGarbage();
    expect(calls).toBe(1);
    await collectGarbage();
    expect(openSockets()).toBe(before);
  });

  it('has nothing left after 100,000 sockets were opened and closed', { timeout: 60_000 }, async () => {
    await openAndClose(20_000);
    const socketsBefore = openSockets();
    const memoryBefore = process.memoryUsage().rss;
    await openAndClose(100_000);
    expect(openSockets()).toBe(socketsBefore);
    // 80 bytes for each would be 8 MB.
    expect(process.memoryUsage().rss - memoryBefore).toBeLessThan(8e6);
  });
});

describe('worker threads', () => {
  it('each have an environment of their own, and close its sockets when they are terminated', async () => {
    const before = openSockets();
    const body = `${opened}
      const { parentPort } = require('node:worker_threads');
      for (const handle of handles) { handle.ref(); handle.onReadable(() => undefined); }
      parentPort.postMessage('ready');
    `;
    const workers = [0, 1, 2, 3].map(() => new Worker(body, { eval: true }));
    await Promise.all(workers.map(firstMessage));
    expect(openSockets()).toBeGreaterThanOrEqual(before + 80);
    await Promise.all(workers.map((each) => each.terminate()));
    expect(openSockets()).toBeLessThan(before + 10);
  });

  it('may be terminated inside a readable callback', async () => {
    const body = `${opened}
      const { parentPort } = require('node:worker_threads');
      handles[0].ref();
      handles[0].onReadable(() => { parentPort.postMessage('inside'); for (;;); });
      handles[0].send(noop);
    `;
    const worker = new Worker(body, { eval: true });
    expect(await firstMessage(worker)).toBe('inside');
    expect(await worker.terminate()).toBe(1);
  });

  it('may be terminated while a receive waits, and end when it does', async () => {
    const body = `${opened}
      require('node:worker_threads').parentPort.postMessage('waiting');
      handles[0].receive(Buffer.alloc(64), 300);
    `;
    const worker = new Worker(body, { eval: true });
    worker.on('error', () => undefined);
    await firstMessage(worker);
    const start = performance.now();
    await worker.terminate();
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('end by themselves with an idle watched socket', async () => {
    const worker = new Worker(`${opened} handles[0].onReadable(() => undefined);`, { eval: true });
    expect(await exitCode(worker)).toBe(0);
  });

  it('may be many, one after another', { timeout: 30_000 }, async () => {
    const before = openSockets();
    for (let round = 0; round < 20; round += 1) {
      const worker = new Worker(`${opened} handles.forEach((each) => each.onReadable(() => undefined));`, {
        eval: true,
      });
      expect(await exitCode(worker)).toBe(0);
    }
    expect(openSockets()).toBeLessThan(before + 10);
  });
});

describe('the process', () => {
  it('ends with an idle watched socket', async () => {
    const { exitCode: code } = await run(`${opened} handles[0].onReadable(() => undefined);`);
    expect(code).toBe(0);
  });

  it('is kept alive by a watched socket that was asked to, until it is unref', async () => {
    const { stdout } = await run(`${opened}
      handles[0].onReadable(() => undefined);
      handles[0].ref();
      setTimeout(() => { console.log('alive'); handles[0].unref(); }, 50).unref();
    `);
    expect(stdout).toBe('alive');
  });

  it('ends well in the middle of everything', async () => {
    const { exitCode: code } = await run(`${opened}
      for (const handle of handles) handle.onReadable(() => process.exit(3));
      handles[1].close();
      handles[0].send(noop);
      handles[0].ref();
    `);
    expect(code).toBe(3);
  });

  it('learns what a readable callback throws as an uncaught exception', async () => {
    const { stdout, exitCode: code } = await run(`${opened}
      process.on('uncaughtException', (error) => { console.log(error.message); handles[0].close(); });
      handles[0].ref();
      handles[0].onReadable(() => { throw new Error('from the callback'); });
      handles[0].send(noop);
    `);
    expect(stdout).toBe('from the callback');
    expect(code).toBe(0);
  });
});

function openAndForget(count: number): void {
  for (let index = 0; index < count; index += 1) {
    openNetlink(0);
    if (index % 3 === 0) openIpvsSockopt().close();
  }
}

/** The returned function makes the socket readable, whose callback then stops watching it. */
function watchAndForget(called: () => void): () => void {
  let handle: ReturnType<typeof openNetlink> | undefined = openNetlink(0);
  const weak = new WeakRef(handle);
  handle.onReadable(() => {
    called();
    weak.deref()?.onReadable(undefined);
  });
  handle = undefined;
  return () => weak.deref()?.send(noopMessages(1));
}

async function openAndClose(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const handle = openNetlink(0);
    if (index % 10 === 0) handle.onReadable(() => undefined);
    handle.close();
    if (index % 1000 === 999) await collectGarbage();
  }
}

function firstMessage(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

function exitCode(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.once('exit', resolve);
    worker.once('error', reject);
  });
}

function run(script: string): Promise<{ readonly stdout: string; readonly exitCode?: number }> {
  return execa(process.execPath, ['--eval', script], { reject: false, timeout: 10_000 });
}
