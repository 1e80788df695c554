/** Messages are copies of the one before with what differs written over: what was before must not show. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { IpvsOperation } from '../../../src/core/model/operation.ts';
import { createEncoder, type Encoder, encodeOperation } from '../../../src/kernel/ipvs/encode.ts';
import { createBatch } from '../../../src/kernel/netlink/batch.ts';
import { addressIdentity, destination, markIdentity, virtualServer } from './operations.ts';

const identity = fc.oneof(
  fc
    .record({
      // The last two are no addresses.
      address: fc.constantFrom(
        '10.96.0.1',
        '10.96.255.254',
        '0.0.0.1',
        'fd00:96::1',
        '2001:db8::ffff',
        '10.96.0',
        'fd00::x',
      ),
      protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'),
      port: fc.constantFrom(1, 80, 65_535, 65_536),
    })
    .map((each) => addressIdentity(each)),
  fc.constantFrom(markIdentity(1), markIdentity(0xffff_ffff, 'IPv6')),
);
const settings = fc.record({
  scheduler: fc.constantFrom('rr', 'wlc', 'mh'),
  flags: fc.constantFrom(0, 0x11),
  timeoutSeconds: fc.constantFrom(0, 300, -1),
  prefixLength: fc.constantFrom(0, 32, 128),
});
const target = fc.constantFrom(
  destination('10.1.0.1'),
  destination('10.1.0.1', { weight: -7, forwarding: 'gue' }),
  destination('fd00:1::1', { port: 9, forwarding: 'tunnel' }),
  destination('10.1.0.2', { weight: 2 ** 31 }),
  destination('10.1.0.2', { port: 65_536 }),
  destination('nowhere'),
  destination('fd00:1:2:3:4:5:6:x'),
);
const operation: fc.Arbitrary<IpvsOperation> = fc.oneof(
  fc
    .tuple(fc.constantFrom('add-virtual-server', 'edit-virtual-server'), identity, settings)
    .map(([kind, each, rest]) => ({ kind, server: virtualServer(each, rest) })),
  fc
    .tuple(fc.constantFrom('add-destination', 'edit-destination', 'remove-destination'), identity, target)
    .map(([kind, each, to]) => ({ kind, identity: each, destination: to })),
);

it('encodes every operation as if it were the first', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 12 }), (operations) => {
      const encoder = createEncoder(0x17);
      expect(operations.map((each) => encoded(encoder, each))).toEqual(
        operations.map((each) => encoded(createEncoder(0x17), each)),
      );
    }),
    { numRuns: 2_000 },
  );
});

function encoded(encoder: Encoder, each: IpvsOperation): readonly [number, string, number] {
  const batch = createBatch();
  const refused = encodeOperation(batch, encoder, each);
  return [refused, batch.bytes.toString('hex', 0, batch.length), batch.messageCount];
}
