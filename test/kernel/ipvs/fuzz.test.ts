import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import { readDestination, readVirtualServer } from '../../../src/kernel/ipvs/decode.ts';
import { copyDestination } from '../../../src/kernel/ipvs/shown-destination.ts';
import { countServices, readDestinations, readServices } from '../../../src/kernel/ipvs/sockopt-layout.ts';
import { isNetlinkDecodeError } from '../../../src/kernel/netlink/decode-error.ts';
import { messageCursor, nextMessage } from '../../../src/kernel/netlink/message-reader.ts';
import { receivedBytes } from '../../../src/kernel/netlink/received.ts';
import * as golden from './golden.ts';

const both = new Set(['IPv4', 'IPv6'] as const);

/** A recorded answer in which bytes were overwritten, and which may be cut. */
function mutated(recorded: readonly Buffer[], isCut: boolean): fc.Arbitrary<Buffer> {
  const change = fc.tuple(fc.nat({ max: 1500 }), fc.nat({ max: 255 }));
  return fc
    .tuple(fc.constantFrom(...recorded), fc.array(change, { maxLength: 8 }), fc.nat({ max: 400 }))
    .map(([datagram, changes, cut]) => {
      const copy = Buffer.from(datagram);
      for (const [at, value] of changes) copy[at % copy.length] = value;
      return isCut ? copy.subarray(0, Math.max(0, copy.length - cut)) : copy;
    });
}

describe('answers with wrong bytes', () => {
  it('over netlink are read or refused, never anything else', () => {
    const recorded = [golden.services, golden.destinationsIPv4, golden.destinationsIPv6];
    fc.assert(
      fc.property(mutated(recorded, true), (datagram) => {
        assertReadOrRefused(() => {
          const cursor = messageCursor(receivedBytes(datagram), datagram.length);
          while (nextMessage(cursor)) {
            assertReadOrRefused(() => readVirtualServer(cursor, both));
            assertReadOrRefused(() => readDestination(cursor, 'IPv6', copyDestination));
          }
        });
      }),
      { numRuns: 2000 },
    );
  });

  it('of a getsockopt are read or refused, never anything else', () => {
    fc.assert(
      fc.property(
        mutated([golden.sockoptServices], false),
        mutated([golden.sockoptDestinations], false),
        (one, two) => {
          assertReadOrRefused(() => readServices(receivedBytes(one), countServices(receivedBytes(one), 3) ?? 0, 'all'));
          assertReadOrRefused(() => readDestinations(receivedBytes(two), 3, copyDestination));
        },
      ),
      { numRuns: 1000 },
    );
  });
});

function assertReadOrRefused(read: () => unknown): void {
  try {
    read();
  } catch (thrown) {
    if (!isNetlinkDecodeError(thrown)) throw thrown;
  }
}
