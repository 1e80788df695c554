import './byte-order.ts';
import { align, messageHeaderLength, NLM_F_REQUEST } from './constants.ts';

/**
 * Messages being written one after another into one reused, growing buffer. `bytes` and `view` change when it grows:
 * do not keep them across a write. Only the functions of this folder write to it.
 */
export interface Batch {
  bytes: Buffer;
  view: DataView;
  /** Bytes written so far. */
  length: number;
  /** Finished messages in the batch. */
  messageCount: number;
  /** Offset of the message being written, -1 between messages. */
  openMessage: number;
}

/** Makes an empty batch. `capacity` is the first size of its buffer in bytes. */
export function createBatch(capacity = 65536): Batch {
  const bytes = Buffer.alloc(capacity);
  return { bytes, view: viewOf(bytes), length: 0, messageCount: 0, openMessage: -1 };
}

/** Empties the batch and keeps its buffer. */
export function resetBatch(batch: Batch): void {
  batch.length = 0;
  batch.messageCount = 0;
  batch.openMessage = -1;
}

/**
 * Begins a message. NLM_F_REQUEST is added to `flags`; the sequence number and NLM_F_ACK are set when the batch is
 * sent. Headers and attributes follow, then `endMessage`.
 */
export function beginMessage(batch: Batch, type: number, flags: number): void {
  const start = batch.length;
  reserve(batch, messageHeaderLength);
  const { view } = batch;
  view.setUint32(start, 0, true);
  view.setUint16(start + 4, type, true);
  view.setUint16(start + 6, flags | NLM_F_REQUEST, true);
  view.setUint32(start + 8, 0, true);
  view.setUint32(start + 12, 0, true);
  batch.openMessage = start;
}

/** Ends the message begun last by writing its length. */
export function endMessage(batch: Batch): void {
  batch.view.setUint32(batch.openMessage, batch.length - batch.openMessage, true);
  batch.messageCount += 1;
  batch.openMessage = -1;
}

/** Removes the message begun last, for an encoder that finds out midway that it must refuse its input. */
export function abandonMessage(batch: Batch): void {
  if (batch.openMessage >= 0) batch.length = batch.openMessage;
  batch.openMessage = -1;
}

/** Appends a `genlmsghdr`: the command and version of a generic netlink family. */
export function putGenericHeader(batch: Batch, command: number, version: number): void {
  const start = reserve(batch, 4);
  batch.view.setUint8(start, command);
  batch.view.setUint8(start + 1, version);
  batch.view.setUint16(start + 2, 0, true);
}

/** Appends an `nfgenmsg`. `resource` (res_id) is in network byte order on the wire. */
export function putNetfilterHeader(batch: Batch, family: number, version: number, resource: number): void {
  const start = reserve(batch, 4);
  batch.view.setUint8(start, family);
  batch.view.setUint8(start + 1, version);
  batch.view.setUint16(start + 2, resource, false);
}

/** Appends a fixed protocol header (`ifinfomsg`, `rtmsg` ...) as it stands, padded to four bytes. */
export function putHeader(batch: Batch, header: Uint8Array): void {
  const start = reserve(batch, align(header.length));
  batch.bytes.set(header, start);
}

/** Appends a finished message, or several: for templates made with another batch. */
export function putMessages(batch: Batch, messages: Batch): void {
  putFinished(batch, messages.bytes.subarray(0, messages.length));
  batch.messageCount += messages.messageCount - 1;
}

/** Appends the bytes of one finished message. */
export function putFinished(batch: Batch, message: Uint8Array): void {
  const start = reserve(batch, message.length);
  batch.bytes.set(message, start);
  batch.messageCount += 1;
}

/** Grows the batch by `size` bytes, the last three of them zeroed as padding, and returns where they start. */
export function reserve(batch: Batch, size: number): number {
  const start = batch.length;
  const end = start + size;
  if (end > batch.bytes.length) grow(batch, end);
  // Old content may lie here: padding must not carry it into the kernel, nor make golden bytes depend on history.
  if (size >= 4) batch.view.setUint32(end - 4, 0, true);
  batch.length = end;
  return start;
}

function grow(batch: Batch, needed: number): void {
  const bytes = Buffer.alloc(Math.max(needed, batch.bytes.length * 2));
  batch.bytes.copy(bytes, 0, 0, batch.length);
  batch.bytes = bytes;
  batch.view = viewOf(bytes);
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
