import { type ErrnoCode, errno, errnoCode, isKernelError, KernelError, toKernelError } from '../error.ts';
import { acknowledgedErrno, extendedAckText } from './acknowledgement.ts';
import type { Batch } from './batch.ts';
import { NLM_F_ACK, NLMSG_ERROR } from './constants.ts';
import { isNetlinkDecodeError } from './decode-error.ts';
import { type MessageCursor, messageCursor, nextMessage } from './message-reader.ts';
import type { NetlinkSocket } from './socket.ts';

/** A message that the kernel refused. */
export interface MessageFailure {
  /** Which message of the batch, counted from 0. */
  readonly index: number;
  /** Positive errno value. */
  readonly errno: number;
  readonly code: ErrnoCode;
  /** Text of the kernel's extended acknowledgement, where it gave one. */
  readonly extendedAck?: string;
}

/** Consecutive messages of a batch that go to the kernel in one send. */
export interface Span {
  /** Offsets into the batch. */
  readonly start: number;
  readonly end: number;
  /** Index of the first message in the batch. */
  readonly first: number;
  readonly count: number;
  /** Sequence number of the first message; those of the others follow it. */
  readonly sequence: number;
}

/** Where a span begins, and how long it may get. */
export interface SpanStart {
  readonly start: number;
  readonly first: number;
  readonly sequence: number;
  /** At least one message is taken, whatever its length. */
  readonly longestBytes: number;
}

/** Takes the messages that fit, and writes their sequence numbers. */
export function takeSpan(batch: Batch, from: SpanStart): Span {
  const { view } = batch;
  let end = from.start;
  let count = 0;
  while (end < batch.length) {
    const length = view.getUint32(end, true);
    if (count > 0 && end + length - from.start > from.longestBytes) break;
    view.setUint16(end + 6, view.getUint16(end + 6, true) & ~NLM_F_ACK, true);
    view.setUint32(end + 8, from.sequence + count, true);
    end += length;
    count += 1;
  }
  return { start: from.start, end, first: from.first, count, sequence: from.sequence };
}

/** Asks for the acknowledgement of one message of a span. */
export function acknowledge(batch: Batch, span: Span, index: number): void {
  const { view } = batch;
  let at = span.start;
  for (let skipped = 0; skipped < index; skipped += 1) at += view.getUint32(at, true);
  view.setUint16(at + 6, view.getUint16(at + 6, true) | NLM_F_ACK, true);
}

/**
 * Sends a span and receives answers until `isLast` says so of one. Refusals are added to `failures`. Throws what the
 * handle throws, and `NetlinkDecodeError`.
 */
export function exchangeSpan(
  socket: NetlinkSocket,
  batch: Batch,
  span: Span,
  expected: { readonly failures: MessageFailure[]; readonly isLast: (index: number) => boolean },
): void {
  const { handle, received, timeoutMs } = socket;
  const bytes = span.start === 0 ? batch.bytes : batch.bytes.subarray(span.start);
  let length = handle.exchange(bytes, span.end - span.start, received.bytes, timeoutMs);
  for (;;) {
    const cursor = messageCursor(received, length);
    let finished = false;
    while (nextMessage(cursor)) {
      const index = cursor.sequence - span.sequence;
      // Answers to an earlier batch that timed out may still be queued; they carry other sequence numbers.
      if (cursor.type !== NLMSG_ERROR || index < 0 || index >= span.count) continue;
      noteFailure(cursor, span.first + index, expected.failures);
      finished = expected.isLast(index) || finished;
    }
    if (finished) return;
    length = handle.receive(received.bytes, timeoutMs);
  }
}

/** Why the fate of a span is unknown. Rethrows what is a fault of the program, such as a closed socket. */
export function unknownCause(operation: string, thrown: unknown): KernelError {
  if (isNetlinkDecodeError(thrown)) return new KernelError(operation, errno.EPROTO, { cause: thrown });
  const cause = toKernelError(operation, thrown);
  if (!isKernelError(cause)) throw cause;
  return cause;
}

function noteFailure(answer: MessageCursor, index: number, failures: MessageFailure[]): void {
  const value = acknowledgedErrno(answer);
  if (value === 0) return;
  const refused = { index, errno: value, code: errnoCode(value) };
  const extendedAck = extendedAckText(answer);
  failures.push(extendedAck === undefined ? refused : { ...refused, extendedAck });
}
