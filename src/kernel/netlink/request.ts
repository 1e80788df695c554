import { KernelError, toKernelError } from '../error.ts';
import { acknowledgedErrno, extendedAckText } from './acknowledgement.ts';
import type { Batch } from './batch.ts';
import { NLM_F_ACK, NLMSG_DONE, NLMSG_ERROR } from './constants.ts';
import { type MessageCursor, messageCursor, nextMessage } from './message-reader.ts';
import { type NetlinkSocket, takeSequences } from './socket.ts';

/** Reads one message of an answer. `undefined` skips it. The cursor is valid during the call only. */
export type ReadMessage<Item> = (message: MessageCursor) => Item | undefined;

/**
 * Sends the only message of `batch` and reads its answers until the acknowledgement. For single reads (`get` without
 * dump) and for writes that echo. Throws `KernelError` with `operation` as its text, and `NetlinkDecodeError`.
 */
export function request<Item>(socket: NetlinkSocket, operation: string, batch: Batch, read: ReadMessage<Item>): Item[] {
  const items: Item[] = [];
  const sequence = stampRequest(socket, batch, NLM_F_ACK);
  eachAnswer(socket, operation, batch, (message) => {
    if (message.sequence !== sequence) return false;
    if (message.type === NLMSG_DONE) return false;
    if (message.type === NLMSG_ERROR) {
      const value = acknowledgedErrno(message);
      if (value === 0) return true;
      throw new KernelError(operation, value, { extendedAck: extendedAckText(message) });
    }
    const item = read(message);
    if (item !== undefined) items.push(item);
    return false;
  });
  return items;
}

/** Gives the only message of `batch` a sequence number, which is returned, and `flags` besides its own. */
export function stampRequest(socket: NetlinkSocket, batch: Batch, flags: number): number {
  if (batch.messageCount !== 1) throw new RangeError(`a request is one message, got ${batch.messageCount}`);
  const sequence = takeSequences(socket, 1);
  batch.view.setUint16(6, batch.view.getUint16(6, true) | flags, true);
  batch.view.setUint32(8, sequence, true);
  return sequence;
}

/** Sends `batch` and shows every message received to `visit` until it returns true for one. Throws `KernelError`. */
export function eachAnswer(
  socket: NetlinkSocket,
  operation: string,
  batch: Batch,
  visit: (message: MessageCursor) => boolean,
): void {
  const { handle, received, timeoutMs } = socket;
  let length = attempt(operation, () => handle.exchange(batch.bytes, batch.length, received.bytes, timeoutMs));
  for (;;) {
    const cursor = messageCursor(received, length);
    let finished = false;
    while (nextMessage(cursor)) finished = visit(cursor) || finished;
    if (finished) return;
    length = attempt(operation, () => handle.receive(received.bytes, timeoutMs));
  }
}

/** Sends `batch` and receives datagrams for as long as they are asked for. Throws `KernelError`. */
export function* datagrams(
  socket: NetlinkSocket,
  operation: string,
  batch: Batch,
): Generator<MessageCursor, never, undefined> {
  const { handle, received, timeoutMs } = socket;
  let length = attempt(operation, () => handle.exchange(batch.bytes, batch.length, received.bytes, timeoutMs));
  for (;;) {
    yield messageCursor(received, length);
    length = attempt(operation, () => handle.receive(received.bytes, timeoutMs));
  }
}

function attempt<Value>(operation: string, call: () => Value): Value {
  try {
    return call();
  } catch (thrown) {
    throw toKernelError(operation, thrown);
  }
}
