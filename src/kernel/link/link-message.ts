/** Messages about interfaces, sent one at a time. */

import { KernelError } from '../error.ts';
import { type Batch, putHeader } from '../netlink/batch.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { transact } from '../netlink/transact.ts';
import { linkHeaderLength } from './rtnetlink.ts';

/** Sends one message; false when the kernel answers with `tolerated`. Throws KernelError. */
export function perform(socket: NetlinkSocket, operation: string, batch: Batch, tolerated: number): boolean {
  const outcome = transact(socket, batch);
  if (outcome.state === 'unknown') throw new KernelError(operation, outcome.cause.errno, { cause: outcome.cause });
  const failure = outcome.failures[0];
  if (failure === undefined) return true;
  if (failure.errno === tolerated) return false;
  throw new KernelError(operation, failure.errno, { extendedAck: failure.extendedAck });
}

/** `ifinfomsg`; the flags are also those to change. */
export function putLinkHeader(batch: Batch, index: number, flags: number): void {
  const header = new DataView(new ArrayBuffer(linkHeaderLength));
  header.setInt32(4, index, true);
  header.setUint32(8, flags, true);
  header.setUint32(12, flags, true);
  putHeader(batch, new Uint8Array(header.buffer));
}
