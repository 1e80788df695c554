import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type NetlinkHandle, openNetlink } from '../../native/index.ts';
import { linkDump, noopMessages, thrownBy } from './messages.ts';

const route = 0;

describe('a netlink socket', () => {
  it('sends a batch and receives the answers of the kernel', () => {
    const handle = openNetlink(route);
    handle.send(noopMessages(3));
    const into = Buffer.alloc(4096);
    const sequences = [0, 0, 0].map(() => into.subarray(0, handle.receive(into, 1000)).readUInt32LE(8));
    expect(sequences).toEqual([1, 2, 3]);
    handle.close();
  });

  it('receives a dump in one exchange', () => {
    const handle = openNetlink(route);
    const into = Buffer.alloc(65536);
    const length = handle.exchange(linkDump(), 32, into, 1000);
    expect(into.readUInt16LE(4)).toBe(16);
    expect(into.subarray(0, length).includes('lo\0')).toBe(true);
    handle.close();
  });

  it('sends only as much of the array as it is told', () => {
    const handle = openNetlink(route);
    handle.send(noopMessages(3), 16);
    const into = Buffer.alloc(4096);
    expect(handle.receive(into, 1000)).toBe(36);
    expect(handle.receive(into, 0)).toBe(0);
    handle.close();
  });

  it('leaves the offending message out of a refusal', () => {
    const handle = openNetlink(route);
    const refused = Buffer.alloc(1024);
    refused.writeUInt32LE(1024, 0);
    refused.writeUInt16LE(9999, 4);
    refused.writeUInt16LE(0x1, 6);
    expect(handle.exchange(refused, 1024, Buffer.alloc(4096), 1000)).toBeLessThan(100);
    handle.close();
  });

  it('waits no longer than the deadline', () => {
    const handle = openNetlink(route);
    const start = performance.now();
    const thrown = thrownBy(() => handle.receive(Buffer.alloc(64), 60));
    const waited = performance.now() - start;
    expect(thrown).toMatchObject({ code: 'ETIMEDOUT', errno: 110, syscall: 'recvmsg' });
    expect(thrown).toBeInstanceOf(Error);
    expect(waited).toBeGreaterThanOrEqual(59);
    expect(waited).toBeLessThan(1000);
    handle.close();
  });

  it('reports a datagram that was cut, and goes on with the next', () => {
    const handle = openNetlink(route);
    handle.send(noopMessages(2));
    expect(thrownBy(() => handle.receive(Buffer.alloc(20), 1000))).toMatchObject({ code: 'EMSGSIZE', errno: 90 });
    expect(handle.receive(Buffer.alloc(64), 1000)).toBe(36);
    handle.close();
  });

  it('reports lost answers as ENOBUFS', () => {
    const handle = openNetlink(route, { receiveBufferBytes: 4096 });
    handle.send(noopMessages(1000));
    expect(errorWhileDraining(handle)).toMatchObject({ code: 'ENOBUFS', errno: 105 });
    handle.close();
  });

  it('takes the wanted sizes of both buffers', () => {
    const small = openNetlink(route, { sendBufferBytes: 8192 });
    expect(thrownBy(() => small.send(noopMessages(4096)))).toMatchObject({ code: 'EMSGSIZE', syscall: 'send' });
    small.close();
    const large = openNetlink(route, { sendBufferBytes: 1 << 20, receiveBufferBytes: 8 << 20 });
    large.send(noopMessages(4096));
    expect(errorWhileDraining(large)).toBeUndefined();
    large.close();
  });

  it('is closed once and for all', () => {
    const handle = openNetlink(route);
    expect(handle.closed).toBe(false);
    handle.close();
    handle.close();
    expect(handle.closed).toBe(true);
    const closed = { code: 'ERR_SOCKET_CLOSED', message: 'the socket is closed' };
    expect(thrownBy(() => handle.send(Buffer.alloc(16)))).toMatchObject(closed);
    expect(thrownBy(() => handle.receive(Buffer.alloc(16), 0))).toMatchObject(closed);
    expect(thrownBy(() => handle.exchange(Buffer.alloc(16), 16, Buffer.alloc(16), 0))).toMatchObject(closed);
    expect(thrownBy(() => handle.onReadable(() => undefined))).toMatchObject(closed);
    expect(thrownBy(() => handle.ref())).toMatchObject(closed);
    expect(thrownBy(() => handle.unref())).toMatchObject(closed);
  });

  it('names the errno of a protocol or a group that the kernel lacks', () => {
    expect(thrownBy(() => openNetlink(31))).toMatchObject({ code: 'EPROTONOSUPPORT', syscall: 'socket' });
    expect(thrownBy(() => openNetlink(route, { groups: [100_000] }))).toMatchObject({ code: 'EINVAL' });
  });
});

describe('readable events', () => {
  it('call back until the answers are received', async () => {
    const handle = openNetlink(route);
    const lengths: number[] = [];
    handle.onReadable(() => lengths.push(...drain(handle)));
    expect(lengths).toEqual([]);
    handle.send(noopMessages(2));
    await until(() => lengths.length === 2);
    handle.send(noopMessages(1));
    await until(() => lengths.length === 3);
    expect(lengths).toEqual([36, 36, 36]);
    handle.close();
  });

  it('stop when told, and start anew with another callback', async () => {
    const handle = openNetlink(route);
    const seen: string[] = [];
    handle.onReadable(() => seen.push('first'));
    handle.onReadable(undefined);
    handle.onReadable(undefined);
    handle.send(noopMessages(1));
    await delay(20);
    expect(seen).toEqual([]);
    handle.onReadable(() => seen.push('replaced'));
    handle.onReadable(() => {
      drain(handle);
      seen.push('second');
    });
    await until(() => seen.length > 0);
    expect(seen).toEqual(['second']);
    handle.close();
  });

  it('go on after answers were lost', async () => {
    const handle = openNetlink(route, { receiveBufferBytes: 4096 });
    const seen: unknown[] = [];
    handle.onReadable(() => {
      const error = errorWhileDraining(handle);
      seen.push(error === undefined ? 'drained' : error);
    });
    handle.send(noopMessages(1000));
    await until(() => seen.length > 0);
    expect(seen[0]).toMatchObject({ code: 'ENOBUFS' });
    drain(handle);
    seen.length = 0;
    handle.send(noopMessages(1));
    await until(() => seen.length > 0);
    expect(seen).toEqual(['drained']);
    handle.close();
  });

  it('let the callback close its own socket', async () => {
    const handle = openNetlink(route);
    let calls = 0;
    handle.onReadable(() => {
      calls += 1;
      handle.close();
    });
    handle.send(noopMessages(1));
    await until(() => calls > 0);
    await delay(20);
    expect(calls).toBe(1);
    expect(handle.closed).toBe(true);
  });
});

function drain(handle: NetlinkHandle): number[] {
  const into = Buffer.alloc(65536);
  const lengths: number[] = [];
  for (let length = handle.receive(into, 0); length > 0; length = handle.receive(into, 0)) lengths.push(length);
  return lengths;
}

function errorWhileDraining(handle: NetlinkHandle): unknown {
  try {
    drain(handle);
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 2000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('nothing happened within two seconds');
    await delay(1);
  }
}
