/** Protocol Buffers on the wire (protobuf.dev/programming-guides/encoding), as far as the CRI's messages need it. */

/** One field of a message being written: a string, a number of an enum or a flag, or another message. */
export type WrittenField = readonly [number: number, value: string | number | boolean | Uint8Array];

const [varintType, fixed64Type, bytesType, fixed32Type] = [0, 1, 2, 5];

/** Writes a message. Unlike Go, zeroes are written too; a reader takes both for the same. */
export function writeMessage(...fields: readonly WrittenField[]): Uint8Array {
  return Buffer.concat(fields.flatMap(([number, value]) => writeField(number, value)));
}

function writeField(number: number, value: WrittenField[1]): readonly Uint8Array[] {
  if (typeof value === 'number' || typeof value === 'boolean') {
    return [writeVarint((number << 3) | varintType), writeVarint(Number(value))];
  }
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return [writeVarint((number << 3) | bytesType), writeVarint(bytes.length), bytes];
}

function writeVarint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** The fields of one message by number; of a field that is there several times, in order. */
export interface ReadMessage {
  /** '' when it is missing. */
  readonly text: (number: number) => string;
  /** 0 when it is missing. */
  readonly number: (number: number) => number;
  /** Undefined when it is missing. */
  readonly message: (number: number) => ReadMessage | undefined;
  readonly messages: (number: number) => readonly ReadMessage[];
}

/** Reads a message; fields that nobody asks for are passed over. Throws RangeError for what is no message. */
export function readMessage(bytes: Uint8Array): ReadMessage {
  const fields = readFields(bytes);
  const of = (number: number): readonly (number | Uint8Array)[] => fields.get(number) ?? [];
  const parts = (number: number): readonly Uint8Array[] => of(number).filter((value) => typeof value !== 'number');
  return {
    text: (number) => Buffer.from(parts(number).at(-1) ?? new Uint8Array()).toString('utf8'),
    number: (number) => of(number).findLast((value) => typeof value === 'number') ?? 0,
    message: (number) => parts(number).map(readMessage).at(-1),
    messages: (number) => parts(number).map(readMessage),
  };
}

function readFields(bytes: Uint8Array): ReadonlyMap<number, readonly (number | Uint8Array)[]> {
  const fields = new Map<number, (number | Uint8Array)[]>();
  const cursor = { bytes, at: 0 };
  while (cursor.at < bytes.length) {
    const key = readVarint(cursor);
    const value = readValue(cursor, key & 7);
    const number = Math.floor(key / 8);
    const there = fields.get(number);
    if (there === undefined) {
      fields.set(number, [value]);
    } else {
      there.push(value);
    }
  }
  return fields;
}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

function readValue(cursor: Cursor, type: number): number | Uint8Array {
  switch (type) {
    case varintType:
      return readVarint(cursor);
    case bytesType:
      return take(cursor, readVarint(cursor));
    case fixed64Type:
      return take(cursor, 8);
    case fixed32Type:
      return take(cursor, 4);
    default:
      throw new RangeError(`expected a wire type of Protocol Buffers, found ${type}`);
  }
}

/** Exact up to 2^53; times in nanoseconds, which are larger, are not read. */
function readVarint(cursor: Cursor): number {
  let value = 0;
  for (let factor = 1, count = 0; count < 10; factor *= 128, count += 1) {
    const [byte = 0] = take(cursor, 1);
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) {
      return value;
    }
  }
  throw new RangeError('expected a number of at most ten bytes');
}

function take(cursor: Cursor, length: number): Uint8Array {
  const end = cursor.at + length;
  if (end > cursor.bytes.length) {
    throw new RangeError('expected more bytes than there are');
  }
  const taken = cursor.bytes.subarray(cursor.at, end);
  cursor.at = end;
  return taken;
}
