import { describe, expect, it } from 'vitest';
import { finish, type Steps } from '../../../src/core/steps.ts';
import { type Batch, beginMessage, createBatch, endMessage, putHeader } from '../../../src/kernel/netlink/batch.ts';
import { dump, dumpSteps, isDumpInterruptedError } from '../../../src/kernel/netlink/dump.ts';
import { drainEvents } from '../../../src/kernel/netlink/events.ts';
import { resolveGenericFamily } from '../../../src/kernel/netlink/generic.ts';
import { type MessageCursor, payloadU32 } from '../../../src/kernel/netlink/message-reader.ts';
import { request } from '../../../src/kernel/netlink/request.ts';
import { createNetlinkSocket, type NetlinkSocket } from '../../../src/kernel/netlink/socket.ts';
import * as golden from './golden.ts';
import { type Answer, errorMessage, messagesOf, plainMessage, scriptedHandle } from './scripted-handle.ts';

const multi = 0x2;
const interrupted = 0x10;
const row = 16;
const done = 3;

describe('dump', () => {
  it('collects rows from several datagrams until the end', () => {
    const socket = kernel((sequence) => [
      Buffer.concat([rowOf(sequence, 1), rowOf(sequence, 2)]),
      rowOf(sequence, 3),
      end(sequence),
    ]);
    expect(dump(socket, 'dump rows', question(), readRow)).toEqual([1, 2, 3]);
  });

  it('is prepared for in steps, before the first datagram is read with a row that concerns it', () => {
    const seen: string[] = [];
    const socket = kernel((sequence) => [
      rowOf(sequence, 1),
      Buffer.concat([rowOf(sequence, 3), rowOf(sequence, 2)]),
      rowOf(sequence, 4),
      end(sequence),
    ]);
    const read = (message: MessageCursor): number => {
      seen.push(`row ${readRow(message)}`);
      return readRow(message);
    };
    const steps = dumpSteps(socket, 'dump rows', question(), { prepare: preparing(seen), concerns, read });
    expect([steps.next().done, seen.splice(0)]).toEqual([false, ['row 1']]);
    expect([steps.next().done, seen.splice(0)]).toEqual([false, ['begin']]);
    expect(finish(steps)).toEqual([1, 3, 2, 4]);
    expect(seen).toEqual(['end', 'row 3', 'row 2', 'row 4']);
  });

  it('is not prepared for where there is nothing', () => {
    const seen: string[] = [];
    const socket = kernel((sequence) => [end(sequence)]);
    const reader = { prepare: preparing(seen), concerns: () => true, read: readRow };
    expect(finish(dumpSteps(socket, 'dump rows', question(), reader))).toEqual([]);
    expect(seen).toEqual([]);
  });

  it('is not prepared for rows that do not concern it', () => {
    const seen: string[] = [];
    const socket = kernel((sequence) => [rowOf(sequence, 1), rowOf(sequence, 3), end(sequence)]);
    const reader = { prepare: preparing(seen), concerns, read: readRow };
    expect(finish(dumpSteps(socket, 'dump rows', question(), reader))).toEqual([1, 3]);
    expect(seen).toEqual([]);
  });

  it('asks with NLM_F_REQUEST and NLM_F_DUMP', () => {
    let flags = 0;
    const handle = scriptedHandle((datagram) => {
      flags = messagesOf(datagram)[0]?.flags ?? 0;
      return [end(messagesOf(datagram)[0]?.sequence ?? 0)];
    });
    expect(dump(createNetlinkSocket(handle), 'dump rows', question(), readRow)).toEqual([]);
    expect(flags).toBe(0x301);
  });

  it('leaves out what the reader skips', () => {
    const socket = kernel((sequence) => [rowOf(sequence, 1), rowOf(sequence, 2), end(sequence)]);
    const even = (message: MessageCursor): number | undefined =>
      readRow(message) % 2 === 0 ? readRow(message) : undefined;
    expect(dump(socket, 'dump rows', question(), even)).toEqual([2]);
  });

  it('reads again from the start what the kernel marks as interrupted', () => {
    const socket = kernel((sequence, send) => [
      rowOf(sequence, send),
      send < 2 ? end(sequence, 0, interrupted) : end(sequence),
    ]);
    expect(dump(socket, 'dump rows', question(), readRow)).toEqual([2]);
  });

  it('gives up after five interrupted attempts and says what it tried', () => {
    let sends = 0;
    const socket = kernel((sequence) => {
      sends += 1;
      return [plainMessage(row, multi | interrupted, sequence, Uint8Array.of(9, 0, 0, 0)), end(sequence)];
    });
    const thrown = thrownBy(() => dump(socket, 'dump rows', question(), readRow));
    expect(isDumpInterruptedError(thrown)).toBe(true);
    expect(thrown).toMatchObject({ operation: 'dump rows', attempts: 5, partial: [9], code: 'dump-interrupted' });
    expect(sends).toBe(5);
  });

  it('throws what the kernel refuses at once or at the end', () => {
    const atOnce = kernel((sequence) => [errorMessage(sequence, 1)]);
    expect(() => dump(atOnce, 'dump rows', question(), readRow)).toThrow('dump rows: EPERM');
    const atEnd = kernel((sequence) => [rowOf(sequence, 1), end(sequence, -12)]);
    expect(thrownBy(() => dump(atEnd, 'dump rows', question(), readRow))).toMatchObject({ code: 'ENOMEM', errno: 12 });
  });

  it('reads a dump to its end before it throws what the reader threw', () => {
    const socket = kernel((sequence) => [rowOf(sequence, 1), rowOf(sequence, 2), end(sequence)]);
    const refuse = (): never => {
      throw new Error('an unknown row');
    };
    expect(() => dump(socket, 'dump rows', question(), refuse)).toThrow('an unknown row');
    expect(socket.handle.receive(Buffer.alloc(64), 0)).toBe(0);
  });

  it('reads the rules that a real kernel gave', () => {
    const socket = createNetlinkSocket(scriptedHandle(() => [golden.rulesDump]));
    socket.nextSequence = golden.rulesDump.readUInt32LE(8);
    expect(dump(socket, 'dump rules', question(), (message) => message.type)).toEqual([32, 32, 32]);
  });

  it('refuses a batch that is not one message', () => {
    const socket = kernel(() => []);
    expect(() => dump(socket, 'dump rows', createBatch(), readRow)).toThrow('a request is one message, got 0');
  });
});

describe('request', () => {
  it('reads the answer and its acknowledgement', () => {
    const socket = kernel((sequence) => [rowOf(sequence, 5), errorMessage(sequence, 0)]);
    expect(request(socket, 'get row', question(), readRow)).toEqual([5]);
  });

  it('throws a refusal with its text', () => {
    const socket = createNetlinkSocket(scriptedHandle(() => [golden.routeRefused]));
    socket.nextSequence = golden.routeRefused.readUInt32LE(8);
    expect(() => request(socket, 'add route', question(), readRow)).toThrow(
      'add route: ENETUNREACH (Nexthop has invalid gateway)',
    );
  });
});

describe('resolveGenericFamily', () => {
  it('finds the id in what a real kernel answered', () => {
    const sequence = golden.familyAnswer.readUInt32LE(8);
    const socket = createNetlinkSocket(scriptedHandle(() => [golden.familyAnswer, errorMessage(sequence, 0)]));
    socket.nextSequence = sequence;
    expect(resolveGenericFamily(socket, 'nlctrl')).toBe(0x10);
  });

  it('throws ENOENT as a real kernel does for a missing module', () => {
    const socket = createNetlinkSocket(scriptedHandle(() => [golden.familyMissing]));
    socket.nextSequence = golden.familyMissing.readUInt32LE(8);
    expect(thrownBy(() => resolveGenericFamily(socket, 'IPVS'))).toMatchObject({
      code: 'ENOENT',
      operation: 'resolve generic netlink family IPVS',
    });
  });
});

describe('drainEvents', () => {
  it('reads on after lost events and after what it cannot read', () => {
    const queue: Answer[] = [rowOf(0, 1), { errno: 105, code: 'ENOBUFS' }, Buffer.from([1]), rowOf(0, 2)];
    const socket = createNetlinkSocket(scriptedHandle(() => queue));
    socket.handle.send(Buffer.alloc(0));
    const seen: unknown[] = [];
    drainEvents(socket, {
      onMessage: (message) => seen.push(readRow(message)),
      onLost: (reason) => seen.push(reason.name),
    });
    expect(seen).toEqual([1, 'KernelError', 'NetlinkDecodeError', 2]);
  });

  it('ends at an error that would come again', () => {
    const socket = createNetlinkSocket(scriptedHandle(() => [{ errno: 9, code: 'EBADF' }, rowOf(0, 1)]));
    socket.handle.send(Buffer.alloc(0));
    const seen: unknown[] = [];
    drainEvents(socket, { onMessage: () => seen.push('message'), onLost: (reason) => seen.push(reason.message) });
    expect(seen).toEqual(['receive netlink events: EBADF']);
  });
});

function preparing(seen: string[]): () => Steps<void> {
  return function* prepare() {
    seen.push('begin');
    yield;
    seen.push('end');
  };
}

function kernel(answer: (sequence: number, send: number) => readonly Answer[]): NetlinkSocket {
  return createNetlinkSocket(scriptedHandle((datagram, send) => answer(messagesOf(datagram)[0]?.sequence ?? 0, send)));
}

function question(): Batch {
  const batch = createBatch(64);
  beginMessage(batch, 18, 0);
  putHeader(batch, new Uint8Array(16));
  endMessage(batch);
  return batch;
}

function rowOf(sequence: number, value: number): Buffer {
  return plainMessage(row, multi, sequence, Uint8Array.of(value, 0, 0, 0));
}

function end(sequence: number, errno = 0, flags = 0): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeInt32LE(errno);
  return plainMessage(done, multi | flags, sequence, payload);
}

function concerns(message: MessageCursor): boolean {
  return readRow(message) % 2 === 0;
}

function readRow(message: MessageCursor): number {
  return payloadU32(message, 0);
}

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}
