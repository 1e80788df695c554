import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { holdAgentLock } from '../../src/app/agent-lock.ts';

const releases: (() => void)[] = [];
afterEach(() => {
  for (const release of releases.splice(0)) release();
});

let count = 0;
/** A lock that no other test has. */
function freshName(): string {
  count += 1;
  return `sluice-lock-test-${process.pid}-${count}`;
}

function agent(name: string, stop: AbortSignal = new AbortController().signal) {
  const told: string[] = [];
  const lock = holdAgentLock({
    version: '1.2.3',
    processId: 77,
    stop,
    name,
    observer: {
      waiting: (holder) => told.push(`waiting for ${holder}`),
      squatted: (found) => told.push(`squatted: ${found}`),
    },
  }).then((release) => {
    if (release !== undefined) releases.push(release);
    return release;
  });
  return { lock, told };
}

describe('the lock of agents', () => {
  it('is for one at a time, and goes to the next when the first ends', async () => {
    const name = freshName();
    const release = await agent(name).lock;
    const second = agent(name);
    const third = agent(name);
    await expect
      .poll(() => [second.told, third.told])
      .toEqual([['waiting for sluice 1.2.3, process 77'], ['waiting for sluice 1.2.3, process 77']]);
    release?.();
    const next = await Promise.race([second.lock, third.lock]);
    next?.();
    await Promise.all([second.lock, third.lock]);
    expect([second.told.length, third.told.length]).toEqual([1, 1]);
  });

  it('is waited for until told to stop', async () => {
    const name = freshName();
    await agent(name).lock;
    const stop = new AbortController();
    const second = agent(name, stop.signal);
    await expect.poll(() => second.told.length).toBe(1);
    stop.abort();
    expect(await second.lock).toBeUndefined();
  });

  it('is done without where something else took its name', async () => {
    const name = freshName();
    const other = createServer((socket) => socket.on('error', () => {}).end('good day\n'));
    await new Promise<void>((resolve) => void other.listen({ path: `\0${name}` }, resolve));
    releases.push(() => other.close());
    const found = agent(name);
    expect(await found.lock).toBeTypeOf('function');
    expect(found.told).toEqual(['squatted: good day']);
  });
});
