import { type Batch, reserve } from './batch.ts';
import { align, attributeHeaderLength, NLA_F_NESTED } from './constants.ts';

/** The longest attribute, header included: its length is a 16-bit field. */
const longestAttribute = 0xffff;

/** Appends an attribute without a value (a flag). */
export function putFlag(batch: Batch, type: number): void {
  putAttributeHeader(batch, type, 0);
}

/** Appends an unsigned 8-bit attribute. */
export function putU8(batch: Batch, type: number, value: number): void {
  const at = putAttributeHeader(batch, type, 1);
  batch.view.setUint8(at, value);
}

/** Appends an unsigned 16-bit attribute in host order. */
export function putU16(batch: Batch, type: number, value: number): void {
  const at = putAttributeHeader(batch, type, 2);
  batch.view.setUint16(at, value, true);
}

/** Appends an unsigned 32-bit attribute in host order. A negative number is written as two's complement. */
export function putU32(batch: Batch, type: number, value: number): void {
  const at = putAttributeHeader(batch, type, 4);
  batch.view.setUint32(at, value, true);
}

/** Appends an unsigned 64-bit attribute in host order. */
export function putU64(batch: Batch, type: number, value: bigint): void {
  const at = putAttributeHeader(batch, type, 8);
  batch.view.setBigUint64(at, value, true);
}

/** Appends an unsigned 16-bit attribute in network order: ports. */
export function putBe16(batch: Batch, type: number, value: number): void {
  const at = putAttributeHeader(batch, type, 2);
  batch.view.setUint16(at, value, false);
}

/** Appends an unsigned 32-bit attribute in network order: every integer of nf_tables. */
export function putBe32(batch: Batch, type: number, value: number): void {
  const at = putAttributeHeader(batch, type, 4);
  batch.view.setUint32(at, value, false);
}

/** Appends a string with the NUL that ends it. */
export function putString(batch: Batch, type: number, value: string): void {
  const size = Buffer.byteLength(value, 'utf8');
  const at = putAttributeHeader(batch, type, size + 1);
  batch.bytes.write(value, at, size, 'utf8');
  batch.view.setUint8(at + size, 0);
}

/** Appends bytes as they stand. */
export function putBytes(batch: Batch, type: number, value: Uint8Array): void {
  const at = putAttributeHeader(batch, type, value.length);
  batch.bytes.set(value, at);
}

/** Begins an attribute that holds attributes, with NLA_F_NESTED. Returns what `endNest` needs. */
export function beginNest(batch: Batch, type: number): number {
  return putAttributeHeader(batch, type | NLA_F_NESTED, 0) - attributeHeaderLength;
}

/** Ends a nest by writing its length. Throws RangeError above 65,535 bytes: the writer must split the list before. */
export function endNest(batch: Batch, nest: number): void {
  const size = nestLength(batch, nest);
  if (size > longestAttribute) throw tooLong(size);
  batch.view.setUint16(nest, size, true);
}

/** Bytes of an open nest so far, header included: for writers of long lists, which must stay within 65,535. */
export function nestLength(batch: Batch, nest: number): number {
  return batch.length - nest;
}

/** Writes the header of an attribute of `size` bytes and makes room for its value. Returns where the value starts. */
function putAttributeHeader(batch: Batch, type: number, size: number): number {
  const unpadded = attributeHeaderLength + size;
  if (unpadded > longestAttribute) throw tooLong(unpadded);
  const start = reserve(batch, align(unpadded));
  batch.view.setUint16(start, unpadded, true);
  batch.view.setUint16(start + 2, type, true);
  return start + attributeHeaderLength;
}

function tooLong(size: number): RangeError {
  return new RangeError(`a netlink attribute holds at most ${longestAttribute} bytes with its header, got ${size}`);
}
