import { type ErrnoCode, errno, errnoCode, isKernelError, KernelError, toKernelError } from '../error.ts';
import { acknowledgedErrno, extendedAckText } from './acknowledgement.ts';
import type { Batch } from './batch.ts';
import { NLM_F_ACK, NLMSG_ERROR } from './constants.ts';
import { isNetlinkDecodeError } from './decode-error.ts';
import { type MessageCursor, messageCursor, nextMessage } from './message-reader.ts';
import { type NetlinkSocket, takeSequences } from './socket.ts';

/** A message that the kernel refused. It refused that one alone: the others of the batch were handled. */
export interface MessageFailure {
  /** Which message of the batch, counted from 0. */
  readonly index: number;
  /** Positive errno value. */
  readonly errno: number;
  readonly code: ErrnoCode;
  /** Text of the kernel's extended acknowledgement, where it gave one. */
  readonly extendedAck?: string;
}

/** What became of a batch. */
export type BatchOutcome =
  /** Every message was handled; those not among the failures took effect. */
  | { readonly state: 'known'; readonly failures: readonly MessageFailure[] }
  /**
   * Answers were lost (ENOBUFS), late or unreadable, or a send failed. Messages before `firstUnknown` are settled as
   * above; of those from it on it is unknown whether they were handled: re-read what they touch.
   */
  | {
      readonly state: 'unknown';
      readonly failures: readonly MessageFailure[];
      readonly firstUnknown: number;
      readonly cause: KernelError;
    };

/** How a batch is sent. */
export interface TransactOptions {
  /** Longest send in bytes; 64 KiB unless given. A single longer message is sent alone. */
  readonly sendBytes?: number;
}

/** One send: messages `first` to `last` of the batch, `sequence` being that of `first`. */
interface Span {
  readonly start: number;
  readonly end: number;
  readonly first: number;
  readonly last: number;
  readonly sequence: number;
}

/**
 * Sends a batch in pieces of at most 64 KiB and collects what the kernel refused. Only the last message of each piece
 * asks for an acknowledgement: the kernel handles a piece in order inside the send, and a message that fails answers
 * anyway, so everything is known once the last answer is in. Never throws for what the kernel says; throws for a
 * closed socket. The batch is left as it is, but for sequence numbers and NLM_F_ACK.
 */
export function transact(socket: NetlinkSocket, batch: Batch, options: TransactOptions = {}): BatchOutcome {
  const failures: MessageFailure[] = [];
  const firstSequence = takeSequences(socket, batch.messageCount);
  let start = 0;
  let first = 0;
  while (start < batch.length) {
    const span = stamp(batch, start, first, firstSequence + first, options.sendBytes ?? 65536);
    try {
      sendSpan(socket, batch, span, failures);
    } catch (thrown) {
      return unknownOutcome(failures, span.first, thrown);
    }
    start = span.end;
    first = span.last + 1;
  }
  return { state: 'known', failures };
}

/** Writes the sequence numbers of the messages that fit into one send, and asks for the acknowledgement of its last. */
function stamp(batch: Batch, start: number, first: number, sequence: number, sendBytes: number): Span {
  const { view } = batch;
  let end = start;
  let lastStart = start;
  let count = 0;
  while (end < batch.length) {
    const length = view.getUint32(end, true);
    if (count > 0 && end + length - start > sendBytes) break;
    view.setUint16(end + 6, view.getUint16(end + 6, true) & ~NLM_F_ACK, true);
    view.setUint32(end + 8, sequence + count, true);
    lastStart = end;
    end += length;
    count += 1;
  }
  view.setUint16(lastStart + 6, view.getUint16(lastStart + 6, true) | NLM_F_ACK, true);
  return { start, end, first, last: first + count - 1, sequence };
}

function sendSpan(socket: NetlinkSocket, batch: Batch, span: Span, failures: MessageFailure[]): void {
  const { handle, received, timeoutMs } = socket;
  const bytes = span.start === 0 ? batch.bytes : batch.bytes.subarray(span.start);
  let length = handle.exchange(bytes, span.end - span.start, received.bytes, timeoutMs);
  while (!readAnswers(messageCursor(received, length), span, failures)) {
    length = handle.receive(received.bytes, timeoutMs);
  }
}

/** Reads the answers of one datagram; true when that of the last message was among them. */
function readAnswers(cursor: MessageCursor, span: Span, failures: MessageFailure[]): boolean {
  let finished = false;
  while (nextMessage(cursor)) {
    const offset = cursor.sequence - span.sequence;
    // Answers to an earlier batch that timed out may still be queued; they speak of other sequence numbers.
    if (cursor.type !== NLMSG_ERROR || offset < 0 || offset > span.last - span.first) continue;
    const value = acknowledgedErrno(cursor);
    if (value !== 0) failures.push(failure(span.first + offset, value, extendedAckText(cursor)));
    if (offset === span.last - span.first) finished = true;
  }
  return finished;
}

function failure(index: number, value: number, extendedAck: string | undefined): MessageFailure {
  const code = errnoCode(value);
  return extendedAck === undefined ? { index, errno: value, code } : { index, errno: value, code, extendedAck };
}

function unknownOutcome(failures: readonly MessageFailure[], firstUnknown: number, thrown: unknown): BatchOutcome {
  const operation = 'netlink batch';
  const cause = isNetlinkDecodeError(thrown)
    ? new KernelError(operation, errno.EPROTO, { cause: thrown })
    : toKernelError(operation, thrown);
  if (!isKernelError(cause)) throw cause;
  return { state: 'unknown', failures: failures.filter((each) => each.index < firstUnknown), firstUnknown, cause };
}
