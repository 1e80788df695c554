/** Messages of rtnetlink, sent one at a time. */

import { KernelError } from '../error.ts';
import { type Batch, beginMessage, createBatch, endMessage, putHeader } from '../netlink/batch.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { transact } from '../netlink/transact.ts';
import { AF_UNSPEC, linkHeaderLength } from './rtnetlink.ts';

/** Sends one message; false when the kernel answers with `tolerated`. Throws KernelError. */
export function perform(socket: NetlinkSocket, operation: string, batch: Batch, tolerated: number): boolean {
  const outcome = transact(socket, batch);
  if (outcome.state === 'unknown') throw new KernelError(operation, outcome.cause.errno, { cause: outcome.cause });
  const failure = outcome.failures[0];
  if (failure === undefined) return true;
  if (failure.errno === tolerated) return false;
  throw new KernelError(operation, failure.errno, { extendedAck: failure.extendedAck });
}

/** Sends the one message that `put` writes. False when the kernel answers with `tolerated`. Throws KernelError. */
export function tell(socket: NetlinkSocket, operation: string, put: (batch: Batch) => void, tolerated = 0): boolean {
  const batch = createBatch(512);
  put(batch);
  return perform(socket, operation, batch, tolerated);
}

/** Asks for everything of a kind, in both families. `headerLength` is that of the kind's own header. */
export function question(type: number, headerLength: number): Batch {
  const batch = createBatch(64);
  const header = new Uint8Array(headerLength);
  header[0] = AF_UNSPEC;
  beginMessage(batch, type, 0);
  putHeader(batch, header);
  endMessage(batch);
  return batch;
}

/** `ifinfomsg`; the flags are also those to change. */
export function putLinkHeader(batch: Batch, index: number, flags: number): void {
  const header = new DataView(new ArrayBuffer(linkHeaderLength));
  header.setInt32(4, index, true);
  header.setUint32(8, flags, true);
  header.setUint32(12, flags, true);
  putHeader(batch, new Uint8Array(header.buffer));
}
