import './byte-order.ts';

/** Bytes that were received, and a view on the same memory. Made once for each receive buffer. */
export interface ReceivedBytes {
  readonly bytes: Buffer;
  readonly view: DataView;
}

/** Makes a receive buffer of `size` bytes. */
export function createReceiveBuffer(size: number): ReceivedBytes {
  return receivedBytes(Buffer.alloc(size));
}

/** Presents bytes to the readers without copying them. */
export function receivedBytes(bytes: Uint8Array): ReceivedBytes {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes: buffer, view: new DataView(buffer.buffer, buffer.byteOffset, buffer.length) };
}
