import { errno, isKernelError, type KernelError, toKernelError } from '../error.ts';
import { isNetlinkDecodeError, type NetlinkDecodeError } from './decode-error.ts';
import { type MessageCursor, messageCursor, nextMessage } from './message-reader.ts';
import type { NetlinkSocket } from './socket.ts';

/** What is called for events, from the event loop. */
export interface EventListener {
  /** One message; the cursor is valid during the call only. */
  readonly onMessage: (message: MessageCursor) => void;
  /** The kernel dropped events (ENOBUFS), or a datagram could not be read: read everything anew. */
  readonly onLost: (reason: KernelError | NetlinkDecodeError) => void;
}

/**
 * Listens on a socket that was opened with groups. It does not keep the process alive. Stop by closing the socket.
 */
export function listenForEvents(socket: NetlinkSocket, listener: EventListener): void {
  socket.handle.onReadable(() => drainEvents(socket, listener));
}

/** Receives what is queued, without waiting. */
export function drainEvents(socket: NetlinkSocket, listener: EventListener): void {
  // A listener may close the socket.
  while (!socket.handle.closed) {
    try {
      if (!receiveOne(socket, listener)) return;
    } catch (thrown) {
      const reason = toKernelError('receive netlink events', thrown);
      if (!isKernelError(reason) && !isNetlinkDecodeError(reason)) throw reason;
      listener.onLost(reason);
      // Anything but a lost or too long datagram would come again at once, for ever.
      if (isKernelError(reason) && reason.errno !== errno.ENOBUFS && reason.errno !== errno.EMSGSIZE) return;
    }
  }
}

/** False when nothing is queued. */
function receiveOne(socket: NetlinkSocket, listener: EventListener): boolean {
  const { handle, received } = socket;
  const length = handle.receive(received.bytes, 0);
  if (length === 0) return false;
  const cursor = messageCursor(received, length);
  while (nextMessage(cursor)) listener.onMessage(cursor);
  return true;
}
