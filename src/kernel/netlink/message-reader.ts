import { align, messageHeaderLength } from './constants.ts';
import { NetlinkDecodeError } from './decode-error.ts';
import type { ReceivedBytes } from './received.ts';

/**
 * A cursor over the messages of a datagram. After `nextMessage` returned true the fields describe the message that the
 * cursor stands on. It is one object for all messages: copy what outlives the next step.
 */
export interface MessageCursor {
  readonly received: ReceivedBytes;
  /** End of the datagram. */
  readonly end: number;
  /** Where the next message starts. */
  next: number;
  type: number;
  flags: number;
  sequence: number;
  portId: number;
  /** First byte after the `nlmsghdr`. */
  payload: number;
  /** First byte after the message, without padding. */
  messageEnd: number;
}

/** Stands before the first message of a datagram of `length` bytes. */
export function messageCursor(received: ReceivedBytes, length: number): MessageCursor {
  if (length < 0 || length > received.bytes.length) throw new NetlinkDecodeError('a length beyond the buffer', length);
  return { received, end: length, next: 0, type: 0, flags: 0, sequence: 0, portId: 0, payload: 0, messageEnd: 0 };
}

/** Steps to the next message; false at the end of the datagram. Throws `NetlinkDecodeError`. */
export function nextMessage(cursor: MessageCursor): boolean {
  const start = cursor.next;
  const left = cursor.end - start;
  if (left <= 0) return false;
  if (left < messageHeaderLength) throw new NetlinkDecodeError('a message header is cut short', start);
  const { view } = cursor.received;
  const length = view.getUint32(start, true);
  if (length < messageHeaderLength || length > left)
    throw new NetlinkDecodeError(`a message length of ${length}`, start);
  cursor.type = view.getUint16(start + 4, true);
  cursor.flags = view.getUint16(start + 6, true);
  cursor.sequence = view.getUint32(start + 8, true);
  cursor.portId = view.getUint32(start + 12, true);
  cursor.payload = start + messageHeaderLength;
  cursor.messageEnd = start + length;
  // The last message of a datagram may lack its padding.
  cursor.next = start + align(length);
  return true;
}

/** Reads an unsigned byte `offset` bytes into the payload. Throws `NetlinkDecodeError`, as do the others. */
export function payloadU8(cursor: MessageCursor, offset: number): number {
  return cursor.received.view.getUint8(payloadPosition(cursor, offset, 1));
}

/** Reads an unsigned 32-bit integer in host order from the payload. */
export function payloadU32(cursor: MessageCursor, offset: number): number {
  return cursor.received.view.getUint32(payloadPosition(cursor, offset, 4), true);
}

/** Reads a signed 32-bit integer in host order from the payload: the error of NLMSG_ERROR, an interface index. */
export function payloadI32(cursor: MessageCursor, offset: number): number {
  return cursor.received.view.getInt32(payloadPosition(cursor, offset, 4), true);
}

function payloadPosition(cursor: MessageCursor, offset: number, size: number): number {
  const at = cursor.payload + offset;
  if (offset < 0 || at + size > cursor.messageEnd) throw new NetlinkDecodeError('a payload is cut short', at);
  return at;
}
