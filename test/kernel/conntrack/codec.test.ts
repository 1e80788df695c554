import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UdpFlow } from '../../../src/core/model/flow.ts';
import { readFlow } from '../../../src/kernel/conntrack/decode.ts';
import { putFlowDelete, putFlowDump } from '../../../src/kernel/conntrack/encode.ts';
import { createBatch } from '../../../src/kernel/netlink/batch.ts';
import { isNetlinkDecodeError } from '../../../src/kernel/netlink/decode-error.ts';
import { messageCursor, nextMessage } from '../../../src/kernel/netlink/message-reader.ts';
import { receivedBytes } from '../../../src/kernel/netlink/received.ts';
import { dns } from './contract.ts';

/*
 * Recorded on Linux 6.18 (x86-64) in a fresh network namespace with conntrack 1.4.7:
 *
 *     strace -e trace=sendto,recvmsg -e write=4 -e read=3 conntrack COMMAND
 */
/** `-L -p udp -f ipv4`: the kernel's answer. */
const listedIPv4 = `
  c0000000 00012200 dfa4016b ec790000 02000000 34000180 14000180 08000100 0a090002 08000200 0a600001 1c000280
  05000100 11000000 06000200 13890000 06000300 00350000 34000280 14000180 08000100 0a010002 08000200 0a090002
  1c000280 05000100 11000000 06000200 1f900000 06000300 13890000 08000300 00000008 08000800 00000000 08000c00
  c1dc239b 08000b00 00000001 08000700 00000051 1c001880 08000100 00000000 08000200 00000000 08000300 00000000`;
/** `-L -p udp -f ipv6`: the kernel's answer. */
const listedIPv6 = `
  f0000000 00012200 dfa4016b f1790000 0a000000 4c000180 2c000180 14000300 fd000000000000000000000000000002
  14000400 fd000096000000000000000000000001 1c000280 05000100 11000000 06000200 13890000 06000300 00350000
  4c000280 2c000180 14000300 fd000001000000000000000000000002 14000400 fd000000000000000000000000000002
  1c000280 05000100 11000000 06000200 1f900000 06000300 13890000 08000300 00000008 08000800 00000000 08000c00
  2ad86e06 08000b00 00000001 08000700 00000051 1c001880 08000100 00000000 08000200 00000000 08000300 00000000`;
/** `-D -p udp -f ipv4 --orig-dst 10.96.0.1`: the header and the original tuple of the deletion. */
const deletedTuple = `
  02000000 34000180 14000180 08000100 0a090002 08000200 0a600001
  1c000280 05000100 11000000 06000200 13890000 06000300 00350000`;

const flowIPv4: UdpFlow = { id: 0xc1dc239b, ...dns.IPv4 };
const flowIPv6: UdpFlow = { id: 0x2ad86e06, ...dns.IPv6 };

describe('requests', () => {
  it('delete a flow by its original tuple, as conntrack does, and by its number', () => {
    const batch = createBatch();
    putFlowDelete(batch, flowIPv4);
    expect(batch.bytes.readUInt16LE(4)).toBe(0x102);
    expect(batch.bytes.toString('hex', 16, batch.length)).toBe(compact(`${deletedTuple} 08000c00 c1dc239b`));
  });

  it('write an IPv6 tuple as the kernel lists it', () => {
    const batch = createBatch();
    putFlowDelete(batch, flowIPv6);
    const tuple = compact(listedIPv6).slice(2 * 20, 2 * (20 + 76));
    expect(batch.bytes.toString('hex', 20, 20 + 76)).toBe(tuple);
  });

  it('ask for UDP of one family alone', () => {
    const batch = createBatch();
    putFlowDump(batch, 'IPv6');
    const expected = '0a000000 10000180 0c000280 05000100 11000000 0c001980 08000100 08000000';
    expect(batch.bytes.readUInt16LE(4)).toBe(0x101);
    expect(batch.bytes.toString('hex', 16, batch.length)).toBe(compact(expected));
  });
});

describe('answers', () => {
  it('are read', () => {
    expect(readAnswer(listedIPv4)).toEqual(flowIPv4);
    expect(readAnswer(listedIPv6)).toEqual(flowIPv6);
  });

  it('of another protocol, another family or a zone are passed over', () => {
    expect(readAnswer(listedIPv4.replaceAll('11000000', '06000000'))).toBeUndefined();
    expect(readAnswer(listedIPv4.replace('02000000', '07000000'))).toBeUndefined();
    expect(readAnswer(listedIPv4.replace('08000b00', '08001200'))).toBeUndefined();
  });

  it('never make the reader throw anything but a decode error', () => {
    const recorded = [listedIPv4, listedIPv6].map((hex) => Buffer.from(compact(hex), 'hex'));
    const changes = fc.array(fc.tuple(fc.integer({ min: 16, max: 239 }), fc.nat(255)), { maxLength: 6 });
    let read = 0;
    fc.assert(
      fc.property(fc.constantFrom(...recorded), changes, (bytes, list) => {
        const copy = Buffer.from(bytes);
        for (const [at, value] of list) if (at < copy.length) copy[at] = value;
        const cursor = messageCursor(receivedBytes(copy), copy.length);
        nextMessage(cursor);
        try {
          if (readFlow(cursor) !== undefined) read += 1;
        } catch (thrown) {
          if (!isNetlinkDecodeError(thrown)) throw thrown;
        }
      }),
      { numRuns: 3000 },
    );
    expect(read).toBeGreaterThan(0);
  });

  it('that are cut short are refused or passed over, wherever the cut is', () => {
    for (const hex of [listedIPv4, listedIPv6]) {
      const bytes = Buffer.from(compact(hex), 'hex');
      const unexpected: unknown[] = [];
      for (let length = 16; length < bytes.length; length += 1) {
        const cut = Buffer.from(bytes.subarray(0, length));
        cut.writeUInt32LE(length, 0);
        const cursor = messageCursor(receivedBytes(cut), length);
        nextMessage(cursor);
        try {
          readFlow(cursor);
        } catch (thrown) {
          if (!isNetlinkDecodeError(thrown)) unexpected.push(thrown);
        }
      }
      expect(unexpected).toEqual([]);
    }
  });
});

function readAnswer(hex: string): UdpFlow | undefined {
  const bytes = Buffer.from(compact(hex), 'hex');
  const cursor = messageCursor(receivedBytes(bytes), bytes.length);
  expect(nextMessage(cursor)).toBe(true);
  return readFlow(cursor);
}

function compact(hex: string): string {
  return hex.replaceAll(/\s/g, '');
}
