import { describe, expect, it } from 'vitest';
import { putBytes } from '../../../src/kernel/netlink/attribute-writer.ts';
import { type Batch, beginMessage, createBatch, endMessage } from '../../../src/kernel/netlink/batch.ts';
import { createNetlinkSocket, type NetlinkSocket } from '../../../src/kernel/netlink/socket.ts';
import { transact } from '../../../src/kernel/netlink/transact.ts';
import { beginTransaction, commitTransaction, endTransaction } from '../../../src/kernel/netlink/transaction.ts';
import * as golden from './golden.ts';
import { type Answer, errorMessage, messagesOf, type ScriptedHandle, scriptedHandle } from './scripted-handle.ts';

const acknowledged = 0x4;

describe('transact', () => {
  it('asks for one acknowledgement, of the last message', () => {
    const { socket, handle } = kernelThat(() => undefined);
    expect(transact(socket, batchOf(5))).toEqual({ state: 'known', failures: [] });
    const [datagram] = handle.sent;
    const messages = messagesOf(datagram ?? Buffer.alloc(0));
    expect(messages.map((each) => each.flags & acknowledged)).toEqual([0, 0, 0, 0, 4]);
    expect(messages.map((each) => each.sequence - (messages[0]?.sequence ?? 0))).toEqual([0, 1, 2, 3, 4]);
  });

  it('sends pieces of at most 64 KiB, whole messages each', () => {
    const { socket, handle } = kernelThat(() => undefined);
    const batch = batchOf(1000, 200);
    expect(transact(socket, batch)).toEqual({ state: 'known', failures: [] });
    expect(handle.sent.map((each) => each.length)).toEqual([65340, 65340, 65340, 23980]);
    for (const piece of handle.sent) {
      const flags = messagesOf(piece).map((each) => each.flags & acknowledged);
      expect(flags.indexOf(acknowledged)).toBe(flags.length - 1);
      // The messages are of one length: the flags of the last one are the only difference from the batch.
      const flagsAt = piece.length - piece.length / flags.length + 6;
      piece.writeUInt16LE(piece.readUInt16LE(flagsAt) & ~acknowledged, flagsAt);
    }
    expect(Buffer.concat(handle.sent).equals(batch.bytes.subarray(0, batch.length))).toBe(true);
  });

  it('leaves the batch without the acknowledgements that it asked for', () => {
    const { socket, handle } = kernelThat(() => undefined);
    const batch = batchOf(1000, 200);
    transact(socket, batch);
    expect(transact(socket, batch, { sendBytes: 2 ** 20 })).toEqual({ state: 'known', failures: [] });
    const flags = messagesOf(handle.sent.at(-1) ?? Buffer.alloc(0)).map((each) => each.flags & acknowledged);
    expect(flags).toHaveLength(1000);
    expect(flags.indexOf(acknowledged)).toBe(999);
  });

  it('sends a message alone that is longer than a piece', () => {
    const { socket, handle } = kernelThat(() => undefined);
    expect(transact(socket, batchOf(3, 500), { sendBytes: 100 }).state).toBe('known');
    expect(handle.sent.map((each) => messagesOf(each).length)).toEqual([1, 1, 1]);
  });

  it('finds refused messages by their sequence numbers, in every piece', () => {
    const { socket } = kernelThat((index) => (index % 400 === 399 ? 17 : undefined));
    const outcome = transact(socket, batchOf(1000, 200));
    expect(outcome).toEqual({
      state: 'known',
      failures: [
        { index: 399, errno: 17, code: 'EEXIST' },
        { index: 799, errno: 17, code: 'EEXIST' },
      ],
    });
  });

  it('takes the refusal of the last message as its answer', () => {
    const { socket } = kernelThat((index) => (index === 2 ? 3 : undefined));
    expect(transact(socket, batchOf(3))).toMatchObject({ failures: [{ index: 2, code: 'ESRCH' }] });
  });

  it('keeps the text of an extended acknowledgement', () => {
    const { socket } = scripted(() => [Buffer.from(golden.routeRefused)]);
    socket.nextSequence = golden.routeRefused.readUInt32LE(8);
    expect(transact(socket, batchOf(1))).toEqual({
      state: 'known',
      failures: [{ index: 0, errno: 101, code: 'ENETUNREACH', extendedAck: 'Nexthop has invalid gateway' }],
    });
  });

  it('may be given the same batch again', () => {
    const { socket, handle } = kernelThat(() => undefined);
    const batch = batchOf(3);
    transact(socket, batch, { sendBytes: 20 });
    expect(transact(socket, batch)).toEqual({ state: 'known', failures: [] });
    expect(messagesOf(handle.sent.at(-1) ?? Buffer.alloc(0)).map((each) => each.flags & acknowledged)).toEqual([
      0, 0, 4,
    ]);
  });

  it('ignores late answers to an earlier batch', () => {
    const { socket } = scripted((datagram) => [
      errorMessage(7, 22),
      errorMessage(messagesOf(datagram).at(-1)?.sequence ?? 0, 0),
    ]);
    socket.nextSequence = 1000;
    expect(transact(socket, batchOf(2))).toEqual({ state: 'known', failures: [] });
  });

  it('says from where on the state is unknown when answers are lost', () => {
    const { socket, handle } = scripted((datagram, send) => {
      if (send === 1) return [{ errno: 105, code: 'ENOBUFS' }];
      return messagesOf(datagram).flatMap((each, index, all) => {
        if (index === 0) return [errorMessage(each.sequence, 17)];
        return index === all.length - 1 ? [errorMessage(each.sequence, 0)] : [];
      });
    });
    const outcome = transact(socket, batchOf(1000, 200));
    expect(outcome).toMatchObject({
      state: 'unknown',
      failures: [{ index: 0, code: 'EEXIST' }],
      firstUnknown: 297,
      cause: { code: 'ENOBUFS' },
    });
    expect(handle.sent).toHaveLength(2);
  });

  it('says that the state is unknown when no answer comes or cannot be read', () => {
    const silent = scripted(() => []);
    expect(transact(silent.socket, batchOf(2))).toMatchObject({
      state: 'unknown',
      firstUnknown: 0,
      cause: { code: 'ETIMEDOUT' },
    });
    const garbled = scripted(() => [Buffer.from([1, 2, 3])]);
    expect(transact(garbled.socket, batchOf(2))).toMatchObject({ state: 'unknown', cause: { code: 'EPROTO' } });
  });

  it('throws for a closed socket', () => {
    const { socket, handle } = kernelThat(() => undefined);
    handle.close();
    expect(() => transact(socket, batchOf(1))).toThrow('the socket is closed');
  });

  it('sends nothing for an empty batch', () => {
    const { socket, handle } = kernelThat(() => undefined);
    expect(transact(socket, createBatch())).toEqual({ state: 'known', failures: [] });
    expect(handle.sent).toHaveLength(0);
  });

  it('starts sequence numbers over before they run out, without 0', () => {
    const { socket, handle } = kernelThat(() => undefined);
    socket.nextSequence = 0xffff_fffe;
    expect(transact(socket, batchOf(4)).state).toBe('known');
    expect(messagesOf(handle.sent[0] ?? Buffer.alloc(0)).map((each) => each.sequence)).toEqual([1, 2, 3, 4]);
  });
});

describe('commitTransaction', () => {
  it('sends one piece whatever its size, acknowledged by the last message before the end', () => {
    const { socket, handle } = kernelThat(() => undefined);
    expect(commitTransaction(socket, transactionOf(1000))).toEqual({ state: 'committed' });
    expect(handle.sent).toHaveLength(1);
    const flags = messagesOf(handle.sent[0] ?? Buffer.alloc(0)).map((each) => each.flags & acknowledged);
    expect(flags.indexOf(4)).toBe(1000);
    expect(flags.lastIndexOf(4)).toBe(1000);
  });

  it('reports every message that was refused', () => {
    const { socket } = kernelThat((index) => (index === 1 || index === 3 ? 2 : undefined));
    expect(commitTransaction(socket, transactionOf(3))).toEqual({
      state: 'refused',
      failures: [
        { index: 1, errno: 2, code: 'ENOENT' },
        { index: 3, errno: 2, code: 'ENOENT' },
      ],
    });
  });

  it('takes the refusal of the begin message as that of the whole', () => {
    const { socket } = scripted((datagram) => [errorMessage(messagesOf(datagram)[0]?.sequence ?? 0, 1)]);
    expect(commitTransaction(socket, transactionOf(2))).toMatchObject({
      state: 'refused',
      failures: [{ index: 0, code: 'EPERM' }],
    });
  });

  it('sends nothing when nothing stands between begin and end', () => {
    const { socket, handle } = kernelThat(() => undefined);
    expect(commitTransaction(socket, transactionOf(0))).toEqual({ state: 'committed' });
    expect(handle.sent).toHaveLength(0);
  });

  it('does not know the outcome when the answer is lost', () => {
    const { socket } = scripted(() => [{ errno: 105, code: 'ENOBUFS' }]);
    expect(commitTransaction(socket, transactionOf(2))).toMatchObject({ state: 'unknown', cause: { code: 'ENOBUFS' } });
  });
});

/** A kernel that answers as netlink_rcv_skb does: what fails, and what asks for it. `refuse` sees the message's place. */
function kernelThat(refuse: (index: number) => number | undefined): { socket: NetlinkSocket; handle: ScriptedHandle } {
  let index = 0;
  return scripted((datagram) =>
    messagesOf(datagram).flatMap((each) => {
      const errno = refuse(index);
      index += 1;
      if (errno !== undefined) return [errorMessage(each.sequence, errno)];
      return (each.flags & acknowledged) === 0 ? [] : [errorMessage(each.sequence, 0)];
    }),
  );
}

function scripted(kernel: (datagram: Buffer, send: number) => readonly Answer[]): {
  socket: NetlinkSocket;
  handle: ScriptedHandle;
} {
  const handle = scriptedHandle(kernel);
  return { socket: createNetlinkSocket(handle), handle };
}

/** Messages of 16 + 4 + `size` bytes. */
function batchOf(count: number, size = 0): Batch {
  const batch = createBatch();
  for (let index = 0; index < count; index += 1) putMessage(batch, size);
  return batch;
}

function transactionOf(count: number): Batch {
  const batch = createBatch();
  beginTransaction(batch, 10);
  for (let index = 0; index < count; index += 1) putMessage(batch, 200);
  endTransaction(batch, 10);
  return batch;
}

function putMessage(batch: Batch, size: number): void {
  beginMessage(batch, 30, 0);
  putBytes(batch, 1, Buffer.alloc(size));
  endMessage(batch);
}
