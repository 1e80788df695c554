import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acknowledgedErrno, extendedAckText, extendedDoneText } from '../../../src/kernel/netlink/acknowledgement.ts';
import * as attributes from '../../../src/kernel/netlink/attribute-reader.ts';
import { isNetlinkDecodeError, type NetlinkDecodeError } from '../../../src/kernel/netlink/decode-error.ts';
import {
  type MessageCursor,
  messageCursor,
  nextMessage,
  payloadU32,
} from '../../../src/kernel/netlink/message-reader.ts';
import { receivedBytes } from '../../../src/kernel/netlink/received.ts';
import * as golden from './golden.ts';

const recorded = [
  golden.rulesDump,
  golden.familyAnswer,
  golden.familyMissing,
  golden.routeRefused,
  golden.addressAcknowledged,
  golden.nftablesTransaction,
];

const readers = [
  attributes.readU8,
  attributes.readU16,
  attributes.readU32,
  attributes.readI32,
  attributes.readU64,
  attributes.readCounter,
  attributes.readBe16,
  attributes.readBe32,
  attributes.readBe64,
  attributes.readString,
  attributes.readBytes,
  attributes.viewBytes,
];

/** A recorded datagram in which some bytes were overwritten, and which may be cut. */
const mutated = fc
  .tuple(
    fc.constantFrom(...recorded),
    fc.array(fc.tuple(fc.nat({ max: 300 }), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
    fc.nat({ max: 300 }),
  )
  .map(([datagram, changes, cut]) => {
    const copy = Buffer.from(datagram);
    for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
    return copy.subarray(0, Math.max(0, copy.length - (cut > 250 ? cut - 250 : 0)));
  });

describe('the readers of received bytes', () => {
  it('end, and throw nothing but NetlinkDecodeError, on random bytes', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => expectTame(bytes));
    fc.assert(property, { numRuns: 1500 });
  });

  it('end, and throw nothing but NetlinkDecodeError, on damaged messages', () => {
    fc.assert(
      fc.property(mutated, (bytes) => expectTame(bytes)),
      { numRuns: 3000 },
    );
  });

  it('never read outside of what was received', () => {
    // The datagram lies inside a larger buffer full of what would be valid: a read beyond it would not fail by itself.
    const property = fc.property(mutated, fc.constantFrom(...recorded), (bytes, around) => {
      const inside = Buffer.concat([bytes, around]);
      expect(visitAll(inside, bytes.length)).toEqual(visitAll(Buffer.concat([bytes, Buffer.alloc(64)]), bytes.length));
    });
    fc.assert(property, { numRuns: 1500 });
  });

  it('read every recorded datagram without complaint', () => {
    for (const datagram of recorded) expect(visitMessages(datagram, datagram.length, [])).toBeGreaterThan(0);
  });

  it('refuse a length beyond the buffer', () => {
    expect(() => messageCursor(receivedBytes(Buffer.alloc(8)), 9)).toThrow('a length beyond the buffer');
  });
});

function expectTame(bytes: Uint8Array): void {
  const seen = visitAll(bytes, bytes.length);
  // Each message takes 16 bytes and each attribute 4, at nesting three deep.
  expect(seen.length).toBeLessThanOrEqual(8 + bytes.length * 16);
}

/** Reads everything that can be read, as text; the decode error, if any, is the last entry. */
function visitAll(bytes: Uint8Array, length: number): readonly string[] {
  const seen: string[] = [];
  const fault = decodeFault(() => visitMessages(bytes, length, seen));
  if (fault !== undefined) seen.push(fault.message);
  return seen;
}

function visitMessages(bytes: Uint8Array, length: number, seen: string[]): number {
  const cursor = messageCursor(receivedBytes(bytes), length);
  let count = 0;
  while (nextMessage(cursor)) {
    count += 1;
    seen.push(`${cursor.type} ${cursor.flags} ${cursor.sequence}`);
    visitControl(cursor, seen);
    for (const headerLength of [0, 4, 12]) {
      const fault = decodeFault(() => visitAttributes(attributes.messageAttributes(cursor, headerLength), 3, seen));
      if (fault !== undefined) seen.push(fault.message);
    }
  }
  return count;
}

function visitControl(cursor: MessageCursor, seen: string[]): void {
  for (const read of [acknowledgedErrno, extendedAckText, extendedDoneText, (at: MessageCursor) => payloadU32(at, 8)]) {
    const fault = decodeFault(() => seen.push(String(read(cursor))));
    if (fault !== undefined) seen.push(fault.message);
  }
}

function visitAttributes(cursor: attributes.AttributeCursor, depth: number, seen: string[]): void {
  while (attributes.nextAttribute(cursor)) {
    seen.push(`attribute ${cursor.type} of ${attributes.valueLength(cursor)}`);
    for (const read of readers) decodeFault(() => read(cursor));
    seen.push(attributes.viewBytes(cursor).toString('hex'));
    if (depth === 0) continue;
    const fault = decodeFault(() => visitAttributes(attributes.nestedAttributes(cursor), depth - 1, seen));
    if (fault !== undefined) seen.push(fault.message);
  }
}

function decodeFault(call: () => unknown): NetlinkDecodeError | undefined {
  try {
    call();
    return undefined;
  } catch (thrown) {
    if (!isNetlinkDecodeError(thrown)) throw thrown;
    return thrown;
  }
}
