import { perform } from '../link/link-message.ts';
import { type Batch, createBatch } from '../netlink/batch.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';

/** Sends the one message that `put` writes. False when the kernel answers with `tolerated`. Throws KernelError. */
export function tell(socket: NetlinkSocket, operation: string, put: (batch: Batch) => void, tolerated = 0): boolean {
  const batch = createBatch(512);
  put(batch);
  return perform(socket, operation, batch, tolerated);
}
