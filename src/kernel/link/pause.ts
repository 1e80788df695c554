import { errno, isKernelError, toKernelError } from '../error.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';

/**
 * Gives the kernel `milliseconds` to get on with work of its own, by waiting for an answer that nobody asked for: the
 * port is synchronous, and the netlink socket is what it can wait with.
 */
export function pause(socket: NetlinkSocket, milliseconds: number): void {
  try {
    socket.handle.receive(socket.received.bytes, milliseconds);
  } catch (thrown) {
    const error = toKernelError('wait', thrown);
    if (!isKernelError(error) || error.errno !== errno.ETIMEDOUT) throw error;
  }
}
