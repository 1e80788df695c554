import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messageAttributes, nextAttribute, readString, readU32 } from '../../../src/kernel/netlink/attribute-reader.ts';
import { putBe32, putBytes, putString, putU32 } from '../../../src/kernel/netlink/attribute-writer.ts';
import {
  type Batch,
  beginMessage,
  createBatch,
  endMessage,
  putHeader,
  putNetfilterHeader,
} from '../../../src/kernel/netlink/batch.ts';
import {
  NETLINK_GENERIC,
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  NLM_F_CREATE,
  NLM_F_EXCL,
} from '../../../src/kernel/netlink/constants.ts';
import { dump } from '../../../src/kernel/netlink/dump.ts';
import { listenForEvents } from '../../../src/kernel/netlink/events.ts';
import { resolveGenericFamily } from '../../../src/kernel/netlink/generic.ts';
import type { MessageCursor } from '../../../src/kernel/netlink/message-reader.ts';
import { request } from '../../../src/kernel/netlink/request.ts';
import {
  closeNetlinkSocket,
  type NetlinkSocket,
  type NetlinkSocketOptions,
  openNetlinkSocket,
} from '../../../src/kernel/netlink/socket.ts';
import { transact } from '../../../src/kernel/netlink/transact.ts';
import { beginTransaction, commitTransaction, endTransaction } from '../../../src/kernel/netlink/transaction.ts';

// Against the kernel that the test runs on, in a network namespace of its own. nf_tables must be there.
const name = `sluice-netlink-${process.pid}`;
const loopback = 1;

beforeAll(async () => {
  await execa('ip', ['netns', 'add', name]);
  await execa('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
});

afterAll(async () => {
  await execa('ip', ['netns', 'delete', name]);
});

describe('a socket in the running kernel', () => {
  it('writes a thousand routes, reads them back, and learns which of them exist', () => {
    const socket = open({ protocol: NETLINK_ROUTE });
    expect(transact(socket, routes(0, 1000))).toEqual({ state: 'known', failures: [] });
    const outcome = transact(socket, routes(990, 1010));
    expect(outcome.failures.map((each) => [each.index, each.code])).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((index) => [index, 'EEXIST']),
    );
    const read = dump(socket, 'dump routes', question(26, 12), (message) => readNumber(message, 12, 6));
    expect(read.filter((each) => each >= 5000)).toHaveLength(1010);
    closeNetlinkSocket(socket);
  });

  it('reads the same through a buffer of 4 KiB', () => {
    const small = open({ protocol: NETLINK_ROUTE, receiveBytes: 4096 });
    const large = open({ protocol: NETLINK_ROUTE });
    const read = (socket: NetlinkSocket): number[] =>
      dump(socket, 'dump routes', question(26, 12), (message) => readNumber(message, 12, 6));
    expect(read(small)).toEqual(read(large));
    closeNetlinkSocket(small);
    closeNetlinkSocket(large);
  });

  it('reports the text of the extended acknowledgement', () => {
    const socket = open({ protocol: NETLINK_ROUTE });
    const batch = createBatch();
    beginMessage(batch, 24, NLM_F_CREATE | NLM_F_EXCL);
    putHeader(batch, Buffer.from('02080000fe03000100000000', 'hex'));
    putBytes(batch, 1, Uint8Array.of(10, 0, 0, 0));
    putBytes(batch, 5, Uint8Array.of(10, 1, 1, 1));
    endMessage(batch);
    expect(transact(socket, batch)).toEqual({
      state: 'known',
      failures: [{ index: 0, errno: 101, code: 'ENETUNREACH', extendedAck: 'Nexthop has invalid gateway' }],
    });
    closeNetlinkSocket(socket);
  });

  it('says that the state is unknown when its queue is too short for the refusals', () => {
    const socket = open({ protocol: NETLINK_ROUTE, receiveQueueBytes: 4096 });
    const outcome = transact(socket, routes(0, 900));
    expect(outcome).toMatchObject({ state: 'unknown', firstUnknown: 0, cause: { code: 'ENOBUFS' } });
    closeNetlinkSocket(socket);
  });

  it('reads one link, and names the errno of one that is not there', () => {
    const socket = open({ protocol: NETLINK_ROUTE });
    const names = request(socket, 'get link', linkQuestion(loopback), (message) => readText(message, 16, 3));
    expect(names).toEqual(['lo']);
    expect(() => request(socket, 'get link', linkQuestion(9999), () => undefined)).toThrow('get link: ENODEV');
    closeNetlinkSocket(socket);
  });

  it('hears of changes in its groups', async () => {
    const events = open({ protocol: NETLINK_ROUTE, groups: [7] });
    const socket = open({ protocol: NETLINK_ROUTE });
    const heard = new Promise<number>((resolve, reject) => {
      listenForEvents(events, { onMessage: (message) => resolve(readNumber(message, 12, 6)), onLost: reject });
    });
    events.handle.ref();
    expect(transact(socket, routes(5000, 5001))).toEqual({ state: 'known', failures: [] });
    expect(await heard).toBe(10_000);
    closeNetlinkSocket(events);
    closeNetlinkSocket(socket);
  });

  it('resolves a generic netlink family, and names the errno of a missing one', () => {
    const socket = open({ protocol: NETLINK_GENERIC });
    expect(resolveGenericFamily(socket, 'nlctrl')).toBe(0x10);
    expect(() => resolveGenericFamily(socket, 'sluice-none')).toThrow('sluice-none: ENOENT');
    closeNetlinkSocket(socket);
  });
});

describe('an nftables transaction in the running kernel', () => {
  it('takes effect as a whole', () => {
    const socket = open({ protocol: NETLINK_NETFILTER });
    expect(commitTransaction(socket, tables(['first', 'second']))).toEqual({ state: 'committed' });
    expect(tableNames(socket)).toEqual(['first', 'second']);
    closeNetlinkSocket(socket);
  });

  it('names every refused message, and takes no effect', () => {
    const socket = open({ protocol: NETLINK_NETFILTER });
    const before = tableNames(socket);
    const outcome = commitTransaction(socket, tables(['third', 'first', 'second']));
    expect(outcome).toMatchObject({
      state: 'refused',
      failures: [
        { index: 2, code: 'EEXIST' },
        { index: 3, code: 'EEXIST' },
      ],
    });
    expect(tableNames(socket)).toEqual(before);
    closeNetlinkSocket(socket);
  });

  it('is refused as a whole when the generation has moved on', () => {
    const socket = open({ protocol: NETLINK_NETFILTER });
    expect(commitTransaction(socket, tables(['fourth'], 77_777))).toMatchObject({
      state: 'refused',
      failures: [{ index: 0, code: 'ERESTART' }],
    });
    closeNetlinkSocket(socket);
  });

  it('may be larger than 64 KiB, and is unknown when it does not fit into the send queue', () => {
    const many = Array.from({ length: 2500 }, (_, index) => `table-${index}-${'x'.repeat(20)}`);
    const socket = open({ protocol: NETLINK_NETFILTER });
    expect(tables(many).length).toBeGreaterThan(65536);
    expect(commitTransaction(socket, tables(many))).toEqual({ state: 'committed' });
    const short = open({ protocol: NETLINK_NETFILTER, sendQueueBytes: 16384 });
    expect(commitTransaction(short, tables(many))).toMatchObject({ state: 'unknown', cause: { code: 'EMSGSIZE' } });
    closeNetlinkSocket(short);
    closeNetlinkSocket(socket);
  });
});

function open(options: NetlinkSocketOptions): NetlinkSocket {
  return openNetlinkSocket({ ...options, networkNamespace: `/run/netns/${name}` });
}

/** `ip route add local 10.9.X.Y dev lo metric INDEX+5000`, which exists or not by its metric. */
function routes(from: number, to: number): Batch {
  const batch = createBatch();
  for (let index = from; index < to; index += 1) {
    beginMessage(batch, 24, NLM_F_CREATE | NLM_F_EXCL);
    putHeader(batch, Buffer.from('02200000ff00fe0200000000', 'hex'));
    putBytes(batch, 1, Uint8Array.of(10, 9, index >> 8, index & 255));
    putU32(batch, 4, loopback);
    putU32(batch, 6, 5000 + index);
    endMessage(batch);
  }
  return batch;
}

function question(type: number, headerLength: number): Batch {
  const batch = createBatch(64);
  beginMessage(batch, type, 0);
  putHeader(batch, new Uint8Array(headerLength));
  endMessage(batch);
  return batch;
}

function linkQuestion(index: number): Batch {
  const batch = question(18, 16);
  batch.view.setInt32(20, index, true);
  return batch;
}

function tables(names: readonly string[], generation?: number): Batch {
  const batch = createBatch();
  beginTransaction(batch, 10, generation);
  for (const each of names) {
    beginMessage(batch, 0x0a00, NLM_F_CREATE | NLM_F_EXCL);
    putNetfilterHeader(batch, 2, 0, 0);
    putString(batch, 1, each);
    putBe32(batch, 2, 0);
    endMessage(batch);
  }
  endTransaction(batch, 10);
  return batch;
}

function tableNames(socket: NetlinkSocket): string[] {
  return dump(socket, 'dump tables', question(0x0a01, 4), (message) => readText(message, 4, 1));
}

function readText(message: MessageCursor, headerLength: number, type: number): string | undefined {
  const attributes = messageAttributes(message, headerLength);
  while (nextAttribute(attributes)) if (attributes.type === type) return readString(attributes);
  return undefined;
}

function readNumber(message: MessageCursor, headerLength: number, type: number): number {
  const attributes = messageAttributes(message, headerLength);
  while (nextAttribute(attributes)) if (attributes.type === type) return readU32(attributes);
  return 0;
}
