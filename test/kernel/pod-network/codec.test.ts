import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Batch, createBatch } from '../../../src/kernel/netlink/batch.ts';
import { isNetlinkDecodeError } from '../../../src/kernel/netlink/decode-error.ts';
import { type MessageCursor, messageCursor, nextMessage } from '../../../src/kernel/netlink/message-reader.ts';
import { receivedBytes } from '../../../src/kernel/netlink/received.ts';
import { readDevice } from '../../../src/kernel/pod-network/decode-device.ts';
import { putAlias, putIPv4Setting, putNoLinkLocal, putTunnel } from '../../../src/kernel/pod-network/encode-tunnel.ts';
import { putGuePort, readFouPort } from '../../../src/kernel/pod-network/fou.ts';

/*
 * What iproute2 6.1 sends, without the netlink header, recorded with
 *
 *     strace -e trace=sendmsg -e write=3,4 ip ARGUMENTS
 *
 * on Linux 6.18 (those of FOU: in the test kernel, which has FOU). A line of a tunnel that iproute2 fills with defaults is
 * left out of what sluice sends; the kernel takes the defaults itself.
 */
/** `link add kube-tunnel-if type ipip local 10.1.0.2`. */
const ipip =
  '00000000 00000000 00000000 00000000 13000300 6b7562652d74756e6e656c2d69660000 68001200 08000100 69706970 ' +
  '5c000200 0500090000000000 080002000a010002 05000a0001000000 0500050000000000 0500040000000000 0800010000000000 ' +
  '0800140000000000 06000f0000000000 0600100000000000 0600110000000000 0600120000000000';
/** `link add kube-tunnel-v6 type ip6tnl mode ip6ip6 local fd01::2`. */
const ip6tnl =
  '00000000 00000000 00000000 00000000 13000300 6b7562652d74756e6e656c2d76360000 80001200 0a000100 697036746e6c0000 ' +
  '70000200 0500090029000000 14000200fd010000000000000000000000000002 0500040040000000 0500060004000000 ' +
  '0800070000000000 0800080000000000 0800010000000000 0800140000000000 06000f0000000000 0600100002000000 ' +
  '0600110000000000 0600120000000000';
/** `link set dev lo alias hello`. */
const alias = '00000000 01000000 00000000 00000000 0900140068656c6c6f000000';
/** `link set dev lo addrgenmode none`. */
const noLinkLocal = '00000000 01000000 00000000 00000000 10001a00 0c000a00 0500080001000000';
/** `fou add port 6080 gue`, `-6 fou add port 6080 gue`. */
const gue = '01010000 0600010017c00000 0500040002000000 0500020002000000';
const gueV6 = '01010000 0600010017c00000 0500040002000000 050002000a000000';

const newLink = 16;

describe('messages about tunnels', () => {
  it('are those of iproute2', () => {
    expect(payload((batch) => putNoLinkLocal(batch, 1))).toBe(withoutNestBits(noLinkLocal));
    expect(payload((batch) => putGuePort(batch, 24, { command: 1, family: 'IPv4' }))).toBe(compact(gue));
    expect(payload((batch) => putGuePort(batch, 24, { command: 1, family: 'IPv6' }))).toBe(compact(gueV6));
  });

  it('have a NUL after an alias, unlike iproute2, and a longer length for it', () => {
    expect(payload((batch) => putAlias(batch, 1, 'hello'))).toBe(compact(alias).replace('09001400', '0a001400'));
  });

  it('tell of a tunnel what iproute2 tells, but for defaults', () => {
    for (const [local, recorded] of [
      ['10.1.0.2', ipip],
      ['fd01::2', ip6tnl],
    ] as const) {
      const own = payload((batch) => putTunnel(batch, local));
      const theirs = compact(recorded);
      // The header and the name; lengths and the order of attributes differ from there on.
      expect(own.slice(0, 72)).toBe(theirs.slice(0, 72));
      for (const attribute of attributesOf(own)) expect(theirs).toContain(attribute);
      expect(readAs(own)).toEqual(readAs(theirs));
    }
  });

  it('set one IPv4 setting of an interface', () => {
    const own = payload((batch) => putIPv4Setting(batch, 7, { number: 8, value: 2 }));
    expect(own).toBe(compact('00000000 07000000 00000000 00000000 14001a80 10000280 0c000180 0800080002000000'));
  });
});

describe('answers about tunnels', () => {
  it('are read', () => {
    expect(readAs(compact(ipip))).toMatchObject({
      name: 'kube-tunnel-if',
      kind: 'ipip',
      local: '10.1.0.2',
      isUp: false,
    });
    expect(readAs(compact(ip6tnl))).toMatchObject({ name: 'kube-tunnel-v6', kind: 'ip6tnl', local: 'fd01::2' });
    expect(read(24, compact(gue), readFouPort)).toEqual({ port: 6080, family: 2, isGue: true });
    expect(read(24, compact(gueV6), readFouPort)).toEqual({ port: 6080, family: 10, isGue: true });
  });

  it('have the settings of an interface by their number', () => {
    const values = Array.from({ length: 33 }, (_, index) => `${(index + 1).toString(16).padStart(2, '0')}000000`);
    const settings = `${'00'.repeat(16)}90001a808c00020088000100${values.join('')}`;
    expect(readAs(settings)).toMatchObject({ rpFilter: 8, arpAnnounce: 18, arpIgnore: 19, local: undefined });
  });

  it('never make the readers fail in another way than by a decode error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const reader of [readDevice, readFouPort]) {
          try {
            read<unknown>(newLink, Buffer.from(bytes).toString('hex'), reader);
          } catch (error) {
            if (!isNetlinkDecodeError(error)) throw error;
          }
        }
      }),
    );
  });
});

function payload(put: (batch: Batch) => void): string {
  const batch = createBatch(512);
  put(batch);
  return batch.bytes.toString('hex', 16, batch.length);
}

function compact(hex: string): string {
  return hex.replaceAll(' ', '');
}

/** iproute2 leaves NLA_F_NESTED out of IFLA_AF_SPEC and what is in it; the kernel looks at it nowhere there. */
function withoutNestBits(hex: string): string {
  return compact(hex).replace('10001a00', '10001a80').replace('0c000a00', '0c000a80');
}

/** The attributes inside IFLA_INFO_DATA of a tunnel. */
function attributesOf(hex: string): readonly string[] {
  const data = hex.slice(hex.indexOf('0280') + 4);
  const found: string[] = [];
  for (let at = 0; at < data.length; ) {
    const length = ((Number.parseInt(data.slice(at, at + 2), 16) + 3) & ~3) * 2;
    found.push(data.slice(at, at + length));
    at += length;
  }
  expect(found.length).toBeGreaterThan(0);
  return found;
}

function readAs(hex: string): ReturnType<typeof readDevice> {
  return read(newLink, hex, readDevice);
}

function read<Item>(type: number, hex: string, reader: (message: MessageCursor) => Item): Item | undefined {
  const body = Buffer.from(hex, 'hex');
  const message = Buffer.alloc(16 + body.length);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(type, 4);
  body.copy(message, 16);
  const cursor = messageCursor(receivedBytes(message), message.length);
  return nextMessage(cursor) ? reader(cursor) : undefined;
}
