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
  /** Where its last message begins. */
  readonly last: number;
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
  const { view, length: batchEnd } = batch;
  const { start, first, sequence, longestBytes } = from;
  let end = start;
  let last = start;
  let count = 0;
  while (end < batchEnd) {
    const length = view.getUint32(end, true);
    if (count > 0 && end + length - start > longestBytes) break;
    view.setUint32(end + 8, sequence + count, true);
    last = end;
    end += length;
    count += 1;
  }
  return { start, end, last, first, count, sequence };
}

/** What is expected of the kernel for a span. */
export interface ExpectedAnswers {
  /** Where the message begins that asks for an acknowledgement. */
  readonly acknowledged: number;
  /** Refusals are added to it. */
  readonly failures: MessageFailure[];
  /** Whether no more is expected after an answer about this message. */
  readonly isLast: (index: number) => boolean;
}

/** Sends a span and receives its answers. Throws what the handle throws, and `NetlinkDecodeError`. */
export function exchangeSpan(socket: NetlinkSocket, batch: Batch, span: Span, expected: ExpectedAnswers): void {
  const flagsAt = expected.acknowledged + 6;
  const flags = batch.view.getUint16(flagsAt, true);
  batch.view.setUint16(flagsAt, flags | NLM_F_ACK, true);
  try {
    sendAndReceive(socket, batch, span, expected);
  } finally {
    // Sent again, the batch may be cut elsewhere.
    batch.view.setUint16(flagsAt, flags, true);
  }
}

function sendAndReceive(socket: NetlinkSocket, batch: Batch, span: Span, expected: ExpectedAnswers): void {
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
