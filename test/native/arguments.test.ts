import { describe, expect, it } from 'vitest';
import { openIpvsSockopt, openNetlink, withNetworkNamespace } from '../../native/index.ts';
import { noopMessages, thrownBy } from './messages.ts';

/** Calls a function with values that its type forbids: what JavaScript, or a wrong cast, could still pass. */
function unchecked(callee: unknown, ...values: readonly unknown[]): unknown {
  return apply(callee, undefined, values);
}

/** The same for a method of `owner`, called on `receiver`. */
function method(owner: object, name: string, receiver: unknown): (...values: readonly unknown[]) => unknown {
  return (...values) => apply(Reflect.get(owner, name), receiver, values);
}

function apply(callee: unknown, receiver: unknown, values: readonly unknown[]): unknown {
  if (typeof callee !== 'function') throw new Error('expected a function');
  return Reflect.apply(callee, receiver, values);
}

const wrong = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };

describe('openNetlink', () => {
  it.each([[undefined], ['0'], [-1], [1.5], [256], [Number.NaN], [null], [0n]])(
    'refuses the protocol %s',
    (protocol) => {
      expect(thrownBy(() => unchecked(openNetlink, protocol))).toMatchObject(wrong);
    },
  );

  it.each([
    [{ networkNamespace: '' }, 'networkNamespace'],
    [{ networkNamespace: 5 }, 'networkNamespace'],
    [{ networkNamespace: 'a\0b' }, 'networkNamespace'],
    [{ networkNamespace: 'x'.repeat(5000) }, 'networkNamespace'],
    [{ receiveBufferBytes: -1 }, 'receiveBufferBytes'],
    [{ receiveBufferBytes: 2 ** 31 }, 'receiveBufferBytes'],
    [{ sendBufferBytes: '1' }, 'sendBufferBytes'],
    [{ groups: 3 }, 'groups'],
    [{ groups: [0] }, 'groups'],
    [{ groups: [1, 'x'] }, 'groups'],
    [{ groups: { length: 1 } }, 'groups'],
  ])('refuses wrong options: %#', (options, named) => {
    const thrown = thrownBy(() => unchecked(openNetlink, 0, options));
    expect(thrown).toMatchObject({ ...wrong, message: expect.stringContaining(named) });
  });
});

describe('a handle', () => {
  it.each([
    [undefined],
    ['text'],
    [[1, 2]],
    [new ArrayBuffer(4)],
    [new Uint16Array(4)],
    [new DataView(new ArrayBuffer(4))],
  ])('refuses wrong bytes: %#', (bytes) => {
    const handle = openNetlink(0);
    expect(thrownBy(() => method(handle, 'send', handle)(bytes))).toMatchObject(wrong);
    expect(thrownBy(() => method(handle, 'receive', handle)(bytes, 0))).toMatchObject(wrong);
    handle.close();
  });

  it.each([[-1], [33], [0.5], ['16'], [Number.POSITIVE_INFINITY]])('refuses the length %s of 32 bytes', (length) => {
    const handle = openNetlink(0);
    const bytes = noopMessages(2);
    expect(thrownBy(() => method(handle, 'send', handle)(bytes, length))).toMatchObject(wrong);
    expect(thrownBy(() => method(handle, 'exchange', handle)(bytes, length, Buffer.alloc(64), 0))).toMatchObject(wrong);
    handle.close();
  });

  it('sends nothing when a later argument of an exchange is wrong', () => {
    const handle = openNetlink(0);
    const bytes = noopMessages(1);
    expect(thrownBy(() => method(handle, 'exchange', handle)(bytes, 16, Buffer.alloc(0), 0))).toMatchObject(wrong);
    expect(thrownBy(() => method(handle, 'exchange', handle)(bytes, 16, 'x', 0))).toMatchObject(wrong);
    expect(thrownBy(() => method(handle, 'exchange', handle)(bytes, 16, Buffer.alloc(64), -1))).toMatchObject(wrong);
    expect(handle.receive(Buffer.alloc(64), 0)).toBe(0);
    handle.close();
  });

  it('refuses an empty or detached array to receive into, and a wrong timeout', () => {
    const handle = openNetlink(0);
    const detached = new Uint8Array(64);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    expect(thrownBy(() => handle.receive(new Uint8Array(0), 0))).toMatchObject(wrong);
    expect(thrownBy(() => handle.receive(detached, 0))).toMatchObject(wrong);
    for (const timeout of [undefined, -1, 0.5, 2 ** 31, '1']) {
      expect(thrownBy(() => method(handle, 'receive', handle)(Buffer.alloc(64), timeout))).toMatchObject(wrong);
    }
    handle.close();
  });

  it('refuses a callback that is not a function', () => {
    const handle = openNetlink(0);
    for (const callback of [null, 1, {}]) {
      expect(thrownBy(() => method(handle, 'onReadable', handle)(callback))).toMatchObject(wrong);
    }
    handle.close();
  });

  it('refuses another object as its own', () => {
    // Either V8 refuses, by the class that the method belongs to, or the type tag of the object does.
    const refused = { name: 'TypeError' };
    const netlink = openNetlink(0);
    const sockopt = openIpvsSockopt();
    for (const stranger of [{}, undefined, sockopt, Object.create(netlink), Object.getPrototypeOf(netlink)]) {
      expect(thrownBy(() => method(netlink, 'close', stranger)())).toMatchObject(refused);
      expect(thrownBy(() => method(netlink, 'send', stranger)(Buffer.alloc(16)))).toMatchObject(refused);
    }
    expect(thrownBy(() => method(sockopt, 'get', netlink)(1153, Buffer.alloc(12)))).toMatchObject(refused);
    netlink.close();
    sockopt.close();
  });
});

describe('withNetworkNamespace', () => {
  it('refuses a missing path and a callback that is not a function', () => {
    for (const path of [undefined, '', 5]) {
      expect(thrownBy(() => unchecked(withNetworkNamespace, path, () => 1))).toMatchObject(wrong);
    }
    expect(thrownBy(() => unchecked(withNetworkNamespace, '/proc/self/ns/net', 1))).toMatchObject(wrong);
  });
});

describe('the IPVS getsockopts', () => {
  it('name the errno of an option that the kernel lacks', () => {
    const handle = openIpvsSockopt();
    expect(thrownBy(() => handle.get(9999, Buffer.alloc(8)))).toMatchObject({
      code: 'ENOPROTOOPT',
      errno: 92,
      syscall: 'getsockopt',
    });
    handle.close();
  });

  it('write into the buffer and return the length of the kernel', () => {
    const handle = openIpvsSockopt();
    const buffer = Buffer.alloc(16, 0xff);
    // IP_TTL, which every kernel has.
    expect(handle.get(2, buffer)).toBe(4);
    expect(buffer.readInt32LE(0)).toBeGreaterThan(0);
    expect(buffer.readInt32LE(4)).toBe(-1);
    handle.close();
  });

  it('are made one after another, each with its part of the buffer', () => {
    const handle = openIpvsSockopt();
    const buffer = Buffer.alloc(16, 0xff);
    expect(handle.getEach(2, buffer, Uint32Array.of(4, 8, 4), 2)).toBe(2);
    expect([0, 4, 8, 12].map((at) => buffer.readInt32LE(at) > 0)).toEqual([true, true, false, false]);
    expect(handle.getEach(2, buffer, Uint32Array.of(4), 0)).toBe(0);
    handle.close();
  });

  it('say how many were made before one failed', () => {
    const handle = openIpvsSockopt();
    expect(handle.getEach(9999, Buffer.alloc(16), Uint32Array.of(8, 8), 2)).toBe(0);
    handle.close();
  });

  it('of which several are made check their arguments', () => {
    const handle = openIpvsSockopt();
    const getEach = method(handle, 'getEach', handle);
    const buffer = Buffer.alloc(8);
    for (const given of [
      [-1, buffer, Uint32Array.of(4), 1],
      [2, 'x', Uint32Array.of(4), 1],
      [2, buffer, [4], 1],
      [2, buffer, Buffer.alloc(4), 1],
      [2, buffer, Uint32Array.of(4), 2],
      [2, buffer, Uint32Array.of(4), -1],
      [2, buffer, Uint32Array.of(4, 5), 2],
      [2, buffer, Uint32Array.of(0xffff_ffff, 0xffff_ffff), 2],
    ]) {
      expect(thrownBy(() => getEach(...given))).toMatchObject(wrong);
    }
    handle.close();
    expect(thrownBy(() => handle.getEach(2, buffer, Uint32Array.of(4), 1))).toMatchObject({
      code: 'ERR_SOCKET_CLOSED',
    });
  });

  it('are closed once and for all, and check their arguments', () => {
    const handle = openIpvsSockopt();
    expect(thrownBy(() => method(handle, 'get', handle)(-1, Buffer.alloc(4)))).toMatchObject(wrong);
    expect(thrownBy(() => method(handle, 'get', handle)(2, 'x'))).toMatchObject(wrong);
    handle.close();
    handle.close();
    expect(handle.closed).toBe(true);
    expect(thrownBy(() => handle.get(2, Buffer.alloc(4)))).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  });
});
