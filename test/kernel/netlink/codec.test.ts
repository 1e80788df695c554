import { describe, expect, it } from 'vitest';
import {
  messageAttributes,
  nestedAttributes,
  nextAttribute,
  readBe32,
  readString,
  readU16,
  readU32,
} from '../../../src/kernel/netlink/attribute-reader.ts';
import {
  beginNest,
  endNest,
  putBe16,
  putBe32,
  putBytes,
  putFlag,
  putString,
  putU8,
  putU16,
  putU32,
  putU64,
} from '../../../src/kernel/netlink/attribute-writer.ts';
import {
  abandonMessage,
  type Batch,
  beginMessage,
  createBatch,
  endMessage,
  putGenericHeader,
  putHeader,
  putMessages,
  putNetfilterHeader,
  resetBatch,
} from '../../../src/kernel/netlink/batch.ts';
import { requireLittleEndianHost } from '../../../src/kernel/netlink/byte-order.ts';
import { messageCursor, nextMessage } from '../../../src/kernel/netlink/message-reader.ts';
import { receivedBytes } from '../../../src/kernel/netlink/received.ts';
import { beginTransaction, endTransaction } from '../../../src/kernel/netlink/transaction.ts';
import * as golden from './golden.ts';

describe('the message writer', () => {
  it.each([
    ['putU8', putU8, '05000100 07000000'],
    ['putU16', putU16, '06000100 07000000'],
    ['putU32', putU32, '08000100 07000000'],
    ['putBe16', putBe16, '06000100 00070000'],
    ['putBe32', putBe32, '08000100 00000007'],
  ] as const)('writes into a buffer that grows for the attribute: %s', (_, put, expected) => {
    const batch = createBatch(4);
    put(batch, 1, 7);
    expect(batch.bytes.toString('hex', 0, batch.length)).toBe(expected.replaceAll(' ', ''));
  });

  it('writes an address message as iproute2 does', () => {
    const batch = createBatch();
    beginMessage(batch, 20, 0x604);
    putHeader(batch, golden.hex('022000fe01000000'));
    putBytes(batch, 2, golden.hex('7f000002'));
    putBytes(batch, 1, golden.hex('7f000002'));
    endMessage(batch);
    expect(written(batch)).toEqual(withoutSequences(golden.addAddress));
  });

  it('writes a generic netlink message as genl does', () => {
    const batch = createBatch();
    beginMessage(batch, 0x10, 4);
    putGenericHeader(batch, 3, 0);
    putString(batch, 2, 'nlctrl');
    endMessage(batch);
    expect(written(batch)).toEqual(withoutSequences(golden.getFamily));
  });

  it('writes an nftables transaction as libnftnl does', () => {
    const batch = createBatch(16);
    beginTransaction(batch, 10);
    putTableMessage(batch);
    putSetMessage(batch);
    putElementMessage(batch);
    endTransaction(batch, 10);
    expect(batch.messageCount).toBe(5);
    expect(written(batch)).toEqual(withoutSequences(golden.nftablesTransaction));
  });

  it('writes the same bytes into a buffer that held others', () => {
    const fresh = createBatch(64);
    const used = createBatch(4096);
    used.bytes.fill(0xff);
    for (const batch of [fresh, used]) putOddMessage(batch);
    const first = written(fresh);
    expect(written(used)).toEqual(first);
    resetBatch(used);
    putOddMessage(used);
    expect(written(used)).toEqual(first);
  });

  it('takes back a message that was begun and refused', () => {
    const batch = createBatch();
    putOddMessage(batch);
    const before = written(batch);
    beginMessage(batch, 16, 0);
    putString(batch, 1, 'half');
    abandonMessage(batch);
    expect(written(batch)).toEqual(before);
    expect(batch.messageCount).toBe(1);
  });

  it('appends the messages of another batch', () => {
    const template = createBatch();
    putOddMessage(template);
    const batch = createBatch(16);
    putMessages(batch, template);
    putMessages(batch, template);
    expect(batch.messageCount).toBe(2);
    expect(written(batch)).toEqual(Buffer.concat([written(template), written(template)]));
  });

  it('refuses an attribute or a nest beyond 65,535 bytes', () => {
    const batch = createBatch();
    beginMessage(batch, 16, 0);
    expect(() => putBytes(batch, 1, Buffer.alloc(65532))).toThrow(RangeError);
    const nest = beginNest(batch, 1);
    putBytes(batch, 1, Buffer.alloc(40000));
    putBytes(batch, 1, Buffer.alloc(40000));
    expect(() => endNest(batch, nest)).toThrow('at most 65535 bytes with its header, got 80012');
  });

  it('refuses a big-endian machine', () => {
    expect(() => requireLittleEndianHost(0)).toThrow('big-endian');
  });
});

describe('the readers', () => {
  it('read the answer of the generic netlink controller', () => {
    const message = firstMessage(golden.familyAnswer);
    const attributes = messageAttributes(message, 4);
    const seen = [];
    while (nextAttribute(attributes)) seen.push(attributes.type);
    expect(seen).toEqual([2, 1, 3, 4, 5, 6, 7]);
    const again = messageAttributes(message, 4);
    expect(nextAttribute(again) && readString(again)).toBe('nlctrl');
    expect(nextAttribute(again) && readU16(again)).toBe(0x10);
  });

  it('read nested lists', () => {
    const attributes = messageAttributes(firstMessage(golden.familyAnswer), 4);
    while (nextAttribute(attributes) && attributes.type !== 7);
    const groups = nestedAttributes(attributes);
    expect(nextAttribute(groups)).toBe(true);
    const group = nestedAttributes(groups);
    expect(nextAttribute(group) && readU32(group)).toBe(0x10);
    expect(nextAttribute(group) && readString(group)).toBe('notify');
    expect(nextAttribute(group)).toBe(false);
  });

  it('read every message of a datagram', () => {
    const cursor = messageCursor(receivedBytes(golden.rulesDump), golden.rulesDump.length);
    const priorities: (number | undefined)[] = [];
    while (nextMessage(cursor)) priorities.push(cursor.type === 32 ? tableOf(cursor) : undefined);
    expect(priorities).toEqual([255, 254, 253, undefined]);
  });

  it('read what the kernel wrote in network order', () => {
    const cursor = messageCursor(receivedBytes(golden.nftablesTransaction), golden.nftablesTransaction.length);
    nextMessage(cursor);
    nextMessage(cursor);
    nextMessage(cursor);
    const attributes = messageAttributes(cursor, 4);
    const values = new Map<number, number>();
    while (nextAttribute(attributes)) {
      if (attributes.type === 4 || attributes.type === 5) values.set(attributes.type, readBe32(attributes));
    }
    expect([...values]).toEqual([
      [4, 0x730d],
      [5, 12],
    ]);
  });
});

function tableOf(cursor: ReturnType<typeof messageCursor>): number | undefined {
  const attributes = messageAttributes(cursor, 12);
  while (nextAttribute(attributes)) if (attributes.type === 15) return readU32(attributes);
  return undefined;
}

function firstMessage(datagram: Buffer): ReturnType<typeof messageCursor> {
  const cursor = messageCursor(receivedBytes(datagram), datagram.length);
  expect(nextMessage(cursor)).toBe(true);
  return cursor;
}

function written(batch: Batch): Buffer {
  return Buffer.from(batch.bytes.subarray(0, batch.length));
}

/** Sequence numbers are set when a batch is sent: the writer leaves 0. */
function withoutSequences(datagram: Buffer): Buffer {
  const copy = Buffer.from(datagram);
  for (let at = 0; at < copy.length; at += copy.readUInt32LE(at)) copy.writeUInt32LE(0, at + 8);
  return copy;
}

function putOddMessage(batch: Batch): void {
  beginMessage(batch, 99, 0);
  putU8(batch, 1, 7);
  putString(batch, 2, 'ab');
  putBytes(batch, 3, Uint8Array.of(1, 2, 3, 4, 5));
  putFlag(batch, 4);
  putU64(batch, 5, 2n ** 63n + 1n);
  endMessage(batch);
}

function putTableMessage(batch: Batch): void {
  beginMessage(batch, 0x0a00, 0);
  putNetfilterHeader(batch, 2, 0, 0);
  putString(batch, 1, 'golden');
  putBe32(batch, 2, 0);
  endMessage(batch);
}

function putSetMessage(batch: Batch): void {
  beginMessage(batch, 0x0a09, 0x400);
  putNetfilterHeader(batch, 2, 0, 0);
  putString(batch, 1, 'golden');
  putString(batch, 2, 'vips');
  putBe32(batch, 3, 0);
  putBe32(batch, 4, 0x730d);
  putBe32(batch, 5, 12);
  putBe32(batch, 10, 1);
  // Notes of nft to itself (NFTA_SET_USERDATA).
  putBytes(batch, 13, golden.hex('00040000 00000308 00040d00 00000100'));
  endMessage(batch);
}

function putElementMessage(batch: Batch): void {
  beginMessage(batch, 0x0a0c, 0x400);
  putNetfilterHeader(batch, 2, 0, 0);
  putString(batch, 1, 'golden');
  putString(batch, 2, 'vips');
  putBe32(batch, 4, 1);
  const list = beginNest(batch, 3);
  const element = beginNest(batch, 1);
  const key = beginNest(batch, 1);
  putBytes(batch, 1, golden.hex('0a000001 06000000 00500000'));
  endNest(batch, key);
  endNest(batch, element);
  endNest(batch, list);
  endMessage(batch);
}
