import { align, attributeHeaderLength, NLA_TYPE_MASK } from './constants.ts';
import { NetlinkDecodeError } from './decode-error.ts';
import type { MessageCursor } from './message-reader.ts';
import type { ReceivedBytes } from './received.ts';

/**
 * A cursor over attributes. After `nextAttribute` returned true, `type` and the `read` functions speak of the attribute
 * that it stands on. The readers check the length: an attribute longer than asked for is read from its start, as the
 * kernel does, a shorter one throws `NetlinkDecodeError`.
 */
export interface AttributeCursor {
  readonly received: ReceivedBytes;
  /** End of the list of attributes. */
  end: number;
  /** Where the next attribute starts. */
  next: number;
  /** Without the bits for nesting and byte order. */
  type: number;
  /** First byte of the value. */
  value: number;
  /** First byte after the value. */
  valueEnd: number;
}

/** Stands before the first attribute of a message that begins with a protocol header of `headerLength` bytes. */
export function messageAttributes(message: MessageCursor, headerLength: number): AttributeCursor {
  const start = message.payload + align(headerLength);
  // A message may end with its header, whose padding then is missing.
  if (message.payload + headerLength > message.messageEnd) {
    throw new NetlinkDecodeError('a protocol header is cut short', message.payload);
  }
  return { received: message.received, end: message.messageEnd, next: start, type: 0, value: 0, valueEnd: 0 };
}

/** Stands before the first attribute inside the attribute that `outer` stands on. */
export function nestedAttributes(outer: AttributeCursor): AttributeCursor {
  return { received: outer.received, end: outer.valueEnd, next: outer.value, type: 0, value: 0, valueEnd: 0 };
}

/**
 * Makes `inner` stand before the first attribute inside the one that `outer` stands on: `nestedAttributes` without an
 * object, for lists of many thousands.
 */
export function enterNested(inner: AttributeCursor, outer: AttributeCursor): void {
  inner.end = outer.valueEnd;
  inner.next = outer.value;
}

/** Steps to the next attribute; false at the end of the list. Throws `NetlinkDecodeError`. */
export function nextAttribute(cursor: AttributeCursor): boolean {
  const start = cursor.next;
  const left = cursor.end - start;
  if (left <= 0) return false;
  if (left < attributeHeaderLength) throw new NetlinkDecodeError('an attribute header is cut short', start);
  const { view } = cursor.received;
  const length = view.getUint16(start, true);
  if (length < attributeHeaderLength || length > left) {
    throw new NetlinkDecodeError(`an attribute length of ${length}`, start);
  }
  cursor.type = view.getUint16(start + 2, true) & NLA_TYPE_MASK;
  cursor.value = start + attributeHeaderLength;
  cursor.valueEnd = start + length;
  cursor.next = start + align(length);
  return true;
}

/** Bytes of the value. */
export function valueLength(cursor: AttributeCursor): number {
  return cursor.valueEnd - cursor.value;
}

/** Reads an unsigned byte. */
export function readU8(cursor: AttributeCursor): number {
  return cursor.received.view.getUint8(valuePosition(cursor, 1));
}

/** Reads an unsigned 16-bit integer in host order. */
export function readU16(cursor: AttributeCursor): number {
  return cursor.received.view.getUint16(valuePosition(cursor, 2), true);
}

/** Reads an unsigned 32-bit integer in host order. */
export function readU32(cursor: AttributeCursor): number {
  return cursor.received.view.getUint32(valuePosition(cursor, 4), true);
}

/** Reads a signed 32-bit integer in host order. */
export function readI32(cursor: AttributeCursor): number {
  return cursor.received.view.getInt32(valuePosition(cursor, 4), true);
}

/** Reads an unsigned 64-bit integer in host order; it may lie unaligned. */
export function readU64(cursor: AttributeCursor): bigint {
  return cursor.received.view.getBigUint64(valuePosition(cursor, 8), true);
}

/** Reads an unsigned 64-bit counter in host order as a number, exact up to 2^53. */
export function readCounter(cursor: AttributeCursor): number {
  const at = valuePosition(cursor, 8);
  const { view } = cursor.received;
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}

/** Reads an unsigned 16-bit integer in network order. */
export function readBe16(cursor: AttributeCursor): number {
  return cursor.received.view.getUint16(valuePosition(cursor, 2), false);
}

/** Reads an unsigned 32-bit integer in network order. */
export function readBe32(cursor: AttributeCursor): number {
  return cursor.received.view.getUint32(valuePosition(cursor, 4), false);
}

/** Reads an unsigned 64-bit integer in network order. */
export function readBe64(cursor: AttributeCursor): bigint {
  return cursor.received.view.getBigUint64(valuePosition(cursor, 8), false);
}

/** Reads a string up to its first NUL or the end of the value. Bytes that are not UTF-8 become U+FFFD. */
export function readString(cursor: AttributeCursor): string {
  const { bytes } = cursor.received;
  let end = cursor.value;
  while (end < cursor.valueEnd && bytes[end] !== 0) end += 1;
  return bytes.toString('utf8', cursor.value, end);
}

/** Copies the value. */
export function readBytes(cursor: AttributeCursor): Uint8Array {
  return Uint8Array.prototype.slice.call(cursor.received.bytes, cursor.value, cursor.valueEnd);
}

/** The value in place, valid only until the next datagram is received into the same buffer. */
export function viewBytes(cursor: AttributeCursor): Buffer {
  return cursor.received.bytes.subarray(cursor.value, cursor.valueEnd);
}

function valuePosition(cursor: AttributeCursor, size: number): number {
  if (cursor.value + size > cursor.valueEnd)
    throw new NetlinkDecodeError('an attribute value is cut short', cursor.value);
  return cursor.value;
}
