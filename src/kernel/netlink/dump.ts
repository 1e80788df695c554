import { finish, type Steps } from '../../core/steps.ts';
import { KernelError } from '../error.ts';
import { acknowledgedErrno, extendedAckText, extendedDoneText } from './acknowledgement.ts';
import type { Batch } from './batch.ts';
import { NLM_F_DUMP, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR } from './constants.ts';
import { type MessageCursor, nextMessage } from './message-reader.ts';
import { datagrams, type ReadMessage, stampRequest } from './request.ts';
import type { NetlinkSocket } from './socket.ts';

const brand: unique symbol = Symbol.for('sluice.DumpInterruptedError');

/** The kernel's table changed during every attempt to read it, so no attempt gave a consistent picture. */
export class DumpInterruptedError extends Error {
  override readonly name = 'DumpInterruptedError';
  readonly code = 'dump-interrupted';
  readonly [brand] = true;
  /** What was read, in words for people. */
  readonly operation: string;
  /** How often it was read. */
  readonly attempts: number;
  /** What the last attempt read: possibly with entries missing or doubled. */
  readonly partial: readonly unknown[];

  constructor(operation: string, attempts: number, partial: readonly unknown[]) {
    super(`${operation}: the table changed during each of ${attempts} attempts to read it`);
    this.operation = operation;
    this.attempts = attempts;
    this.partial = partial;
  }
}

/** Recognises a `DumpInterruptedError`, also one that another copy of this module made. */
export function isDumpInterruptedError(value: unknown): value is DumpInterruptedError {
  return typeof value === 'object' && value !== null && brand in value;
}

/** How often a dump is read before `DumpInterruptedError`. */
const maximumAttempts = 5;

/**
 * Reads a table: sends the only message of `batch` with NLM_F_DUMP and collects what `read` makes of each answer. A
 * dump that the kernel marks as interrupted is read again from the start, up to five times. Throws `KernelError`,
 * `DumpInterruptedError` and `NetlinkDecodeError`, and what `read` throws, once the dump is over: the kernel refuses a
 * second dump on a socket (EBUSY) while one goes on.
 */
export function dump<Item>(socket: NetlinkSocket, operation: string, batch: Batch, read: ReadMessage<Item>): Item[] {
  return finish(dumpSteps(socket, operation, batch, read));
}

/** Makes something of each answer of a dump, after long work that is for nothing where there is none. */
export interface PreparedReader<Item> {
  /** Done before the first datagram is read that brings an answer of which `concerns` is true. */
  readonly prepare: () => Steps<void>;
  readonly concerns: (message: MessageCursor) => boolean;
  readonly read: ReadMessage<Item>;
}

/** The same in steps, one for each datagram. Nothing else may use the socket between them. */
export function* dumpSteps<Item>(
  socket: NetlinkSocket,
  operation: string,
  batch: Batch,
  reader: ReadMessage<Item> | PreparedReader<Item>,
): Steps<Item[]> {
  const { prepare, concerns, read } = typeof reader === 'function' ? unprepared(reader) : reader;
  let items: Item[] = [];
  for (let attempt = 1; attempt <= maximumAttempts; attempt += 1) {
    items = [];
    // The last attempt gives nobody time to change the table.
    const visit = (message: MessageCursor) => collect(items, read(message));
    const once = dumpOnce(socket, operation, batch, { prepare, concerns, visit });
    if (attempt < maximumAttempts ? yield* once : finish(once)) return items;
  }
  throw new DumpInterruptedError(operation, maximumAttempts, items);
}

/**
 * Reads a table like `dump`, once, in the pieces in which the kernel hands it over. A piece is received when it is asked
 * for, so that the reader may do other things in between. Interruption is not looked at: this is for tables that change
 * all the time. Left early, or after an error, the socket is of no more use and is to be closed. Throws `KernelError` and
 * `NetlinkDecodeError`, and what `read` throws.
 */
export function* dumpInPieces<Item>(
  socket: NetlinkSocket,
  operation: string,
  batch: Batch,
  read: ReadMessage<Item>,
): Generator<readonly Item[], void, undefined> {
  const answer = { operation, sequence: stampRequest(socket, batch, NLM_F_DUMP), flags: 0 };
  for (const message of datagrams(socket, operation, batch)) {
    const items: Item[] = [];
    const isLast = readDatagram(message, answer, (each) => collect(items, read(each)));
    if (items.length > 0) yield items;
    if (isLast) return;
  }
}

function unprepared<Item>(read: ReadMessage<Item>): PreparedReader<Item> {
  return { prepare: function* () {}, concerns: () => true, read };
}

interface DumpReader extends Omit<PreparedReader<unknown>, 'read'> {
  readonly visit: (message: MessageCursor) => void;
}

/** Reads the table once; false when the kernel says that it changed meanwhile. */
function* dumpOnce(
  socket: NetlinkSocket,
  operation: string,
  batch: Batch,
  { prepare, concerns, visit }: DumpReader,
): Steps<boolean> {
  const answer = { operation, sequence: stampRequest(socket, batch, NLM_F_DUMP), flags: 0 };
  let fault: { readonly thrown: unknown } | undefined;
  const show = (message: MessageCursor): void => {
    fault ??= faultOf(() => visit(message));
  };
  let isPrepared = false;
  for (const message of datagrams(socket, operation, batch)) {
    if (!isPrepared && brings(message, concerns)) {
      yield* prepare();
      isPrepared = true;
    }
    if (readDatagram(message, answer, show)) break;
    yield;
  }
  if (fault !== undefined) throw fault.thrown;
  return (answer.flags & NLM_F_DUMP_INTR) === 0;
}

/** Looks ahead in a datagram, and stays before the first message. What cannot be read is met again when it is. */
function brings(message: MessageCursor, concerns: (message: MessageCursor) => boolean): boolean {
  const ahead = { ...message };
  try {
    while (nextMessage(ahead) && ahead.type !== NLMSG_DONE) if (concerns(ahead)) return true;
    return false;
  } catch {
    return true;
  }
}

/** What is known of the answer to a dump. */
interface DumpAnswer {
  readonly operation: string;
  readonly sequence: number;
  /** Those of all its messages so far. */
  flags: number;
}

/** Shows the messages of one datagram to `visit`; true when the end of the dump is among them. */
function readDatagram(message: MessageCursor, answer: DumpAnswer, visit: (message: MessageCursor) => void): boolean {
  while (nextMessage(message)) {
    if (message.sequence !== answer.sequence) continue;
    answer.flags |= message.flags;
    if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) {
      refuseFailed(answer.operation, message);
      return true;
    }
    visit(message);
  }
  return false;
}

function faultOf(call: () => void): { readonly thrown: unknown } | undefined {
  try {
    call();
    return undefined;
  } catch (thrown) {
    return { thrown };
  }
}

function collect<Item>(items: Item[], item: Item | undefined): void {
  if (item !== undefined) items.push(item);
}

function refuseFailed(operation: string, end: MessageCursor): void {
  // Kernels before 2.6 ended a dump without an errno; every other DONE carries one.
  if (end.messageEnd - end.payload < 4) return;
  const value = acknowledgedErrno(end);
  if (value === 0) return;
  const extendedAck = end.type === NLMSG_DONE ? extendedDoneText(end) : extendedAckText(end);
  throw new KernelError(operation, value, { extendedAck });
}
