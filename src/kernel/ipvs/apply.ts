import type { IpvsOperation } from '../../core/model/operation.ts';
import { errnoCode, KernelError } from '../error.ts';
import { type Batch, resetBatch } from '../netlink/batch.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { type BatchOutcome, transact } from '../netlink/transact.ts';
import type { ApplyResult, OperationFailure } from '../ports.ts';
import { describeIpvsOperation } from './describe.ts';
import { type Encoder, encodeOperation, longestMessage } from './encode.ts';

/** Bytes of one send. The kernel holds a mutex per message only, but the calling thread is busy for all of it. */
const batchBytes = 65536;

/** What writing needs; the batch is reused from one call to the next. */
export interface Writer {
  readonly socket: NetlinkSocket;
  readonly batch: Batch;
  readonly encoder: Encoder;
}

/** Carries operations out in order, in sends of 64 KiB. See `IpvsPort.apply`. */
export function applyIpvsOperations(writer: Writer, operations: readonly IpvsOperation[]): ApplyResult {
  const failures: OperationFailure[] = [];
  let unknown = false;
  let next = 0;
  while (next < operations.length) {
    const piece = encodePiece(writer, operations, { next, failures });
    next = piece.next;
    const outcome = transact(writer.socket, writer.batch);
    collectFailures(operations, piece, { outcome, failures });
    if (outcome.state === 'unknown') {
      unknown = true;
      const error = outcome.cause;
      for (let message = outcome.firstUnknown; message < writer.batch.messageCount; message += 1) {
        failures.push({ index: operationOf(piece, message), error });
      }
      // Lost answers say nothing against the next send; a deaf or dead socket would fail it too, each after a wait.
      if (error.code !== 'ENOBUFS') {
        for (; next < operations.length; next += 1) failures.push({ index: next, error });
      }
    }
  }
  failures.sort((one, other) => one.index - other.index);
  return { failures, unknown };
}

interface Progress {
  readonly next: number;
  readonly failures: OperationFailure[];
}

interface Piece {
  readonly first: number;
  /** The first operation that is not in this piece. */
  readonly next: number;
  /** Operations refused before sending, in order: they have no message. */
  readonly refused: readonly number[];
}

function encodePiece(writer: Writer, operations: readonly IpvsOperation[], progress: Progress): Piece {
  const { batch, encoder } = writer;
  const refused: number[] = [];
  let { next } = progress;
  resetBatch(batch);
  while (next < operations.length && batch.length + longestMessage <= batchBytes) {
    const operation = operations[next];
    if (operation !== undefined) {
      const errno = encodeOperation(batch, encoder, operation);
      if (errno !== 0) {
        refused.push(next);
        progress.failures.push(failure(operations, next, { errno }));
      }
    }
    next += 1;
  }
  return { first: progress.next, next, refused };
}

/** The operation behind a message of a piece. */
function operationOf({ first, refused }: Piece, message: number): number {
  let index = first + message;
  for (const each of refused) {
    if (each <= index) index += 1;
  }
  return index;
}

function collectFailures(
  operations: readonly IpvsOperation[],
  piece: Piece,
  into: { readonly outcome: BatchOutcome; readonly failures: OperationFailure[] },
): void {
  for (const refused of into.outcome.failures) {
    into.failures.push(failure(operations, operationOf(piece, refused.index), refused));
  }
}

function failure(
  operations: readonly IpvsOperation[],
  index: number,
  refused: { readonly errno: number; readonly extendedAck?: string },
): OperationFailure {
  const operation = operations[index];
  const words =
    operation === undefined ? `operation ${index} ${errnoCode(refused.errno)}` : describeIpvsOperation(operation);
  return { index, error: new KernelError(words, refused.errno, { extendedAck: refused.extendedAck }) };
}
