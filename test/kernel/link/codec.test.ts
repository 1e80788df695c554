import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLinkAddress } from '../../../src/kernel/link/decode-address.ts';
import { readLink } from '../../../src/kernel/link/decode-link.ts';
import { copyHostRoute, type HostRoute, locateHostRoute } from '../../../src/kernel/link/decode-route.ts';
import { putVipAddress, putVipRoute, putVipRouteRemoval } from '../../../src/kernel/link/encode-vip.ts';
import { recogniseAddress, recogniseRoute } from '../../../src/kernel/link/expected-vips.ts';
import { type Batch, createBatch } from '../../../src/kernel/netlink/batch.ts';
import { isNetlinkDecodeError } from '../../../src/kernel/netlink/decode-error.ts';
import { type MessageCursor, messageCursor, nextMessage } from '../../../src/kernel/netlink/message-reader.ts';
import { receivedBytes } from '../../../src/kernel/netlink/received.ts';
import { expectedVips } from './expecting.ts';

/*
 * What iproute2 6.1 sends, without the netlink header, recorded on Linux 6.18 with
 *
 *     unshare -n strace -e trace=sendmsg -e write=3 ip ARGUMENTS
 *
 * The same attributes make an address or a route, so they also serve as what the kernel answers.
 */
/** `address add 10.96.0.1/32 dev lo scope link`. */
const addressV4 = '022000fd 01000000 08000200 0a600001 08000100 0a600001';
/** `-6 address add fd00:96::1/128 dev lo nodad noprefixroute preferred_lft 0`. */
const addressV6 =
  '0a800000 01000000 14000200 fd000096000000000000000000000001 08000800 02020000 ' +
  '14000100 fd000096000000000000000000000001 14000600 00000000 ffffffff 0000000000000000';
/** `route replace table local local 10.96.0.1 dev lo proto 115 metric 115 scope host src 127.0.0.1`. */
const routeV4 = '02200000 ff73fe02 00000000 08000100 0a600001 08000600 73000000 08000700 7f000001 08000400 01000000';
/** `-6 route replace table local local fd00:96::1 dev lo proto 115 metric 115 src ::1`. */
const routeV6 =
  '0a800000 ff730002 00000000 14000100 fd000096000000000000000000000001 08000600 73000000 ' +
  '14000700 00000000000000000000000000000001 08000400 01000000';
/** `route delete table local local 10.96.0.1 dev lo proto 115 metric 115 scope host`. */
const routeRemovalV4 = '02200000 ff73fe02 00000000 08000100 0a600001 08000600 73000000 08000400 01000000';

/** Those of the messages above. */
const bothVips = [
  { address: '10.96.0.1', source: '127.0.0.1' },
  { address: 'fd00:96::1', source: '::1' },
];

const [newLink, newAddress, goneAddress, newRoute] = [16, 20, 21, 24];

describe('messages about VIPs', () => {
  it('are those of iproute2', () => {
    expect(payload((batch) => putVipAddress(batch, 1, '10.96.0.1'))).toBe(compact(addressV4));
    expect(payload((batch) => putVipRoute(batch, 1, { address: '10.96.0.1', source: '127.0.0.1' }))).toBe(
      compact(routeV4),
    );
    expect(payload((batch) => putVipRoute(batch, 1, { address: 'fd00:96::1', source: '::1' }))).toBe(compact(routeV6));
    expect(payload((batch) => putVipRouteRemoval(batch, 1, '10.96.0.1'))).toBe(compact(routeRemovalV4));
  });

  it('have the attributes of iproute2 in another order for an IPv6 address', () => {
    const words = (hex: string): readonly string[] => (hex.match(/.{8}/g) ?? []).sort();
    const own = payload((batch) => putVipAddress(batch, 1, 'fd00:96::1'));
    expect(words(own)).toEqual(words(compact(addressV6)));
  });
});

describe('answers about addresses and routes', () => {
  it('are read', () => {
    expect(read(newAddress, addressV4, readLinkAddress)).toEqual({
      interfaceIndex: 1,
      address: '10.96.0.1',
      prefixLength: 32,
      scope: 253,
      flags: 0,
      isGone: false,
    });
    expect(read(goneAddress, addressV4, readLinkAddress)).toMatchObject({ address: '10.96.0.1', isGone: true });
    expect(read(newAddress, addressV6, readLinkAddress)).toMatchObject({ address: 'fd00:96::1', flags: 0x202 });
    expect(read(newRoute, routeV4, readHostRoute)).toEqual({
      address: '10.96.0.1',
      protocol: 115,
      source: '127.0.0.1',
      interfaceIndex: 1,
      isLocal: true,
      mtu: 0,
    });
    expect(read(newRoute, routeV6, readHostRoute)).toMatchObject({ address: 'fd00:96::1', source: '::1' });
  });

  it('are passed over when they are about something else', () => {
    expect(read(newRoute, addressV4, readLinkAddress)).toBeUndefined();
    expect(read(newAddress, routeV4, readHostRoute)).toBeUndefined();
    expect(read(newRoute, routeV4.replace('ff73', 'fe73'), readHostRoute)).toBeUndefined();
    expect(read(newRoute, routeV4.replace('02200000', '02180000'), readHostRoute)).toBeUndefined();
  });

  it('are recognised by their bytes where they are as expected', () => {
    const expected = expectedVips(bothVips);
    const address = (hex: string) => read(newAddress, hex, (message) => recogniseAddress(expected, message));
    const route = (hex: string) => read(newRoute, hex, (message) => recogniseRoute(expected, message));
    expect([address(addressV4), address(addressV6)]).toEqual([0, 1]);
    expect([route(routeV4), route(routeV6)]).toEqual([0, 1]);
    expect(address(addressV4.replaceAll('0a600001', '0a600002'))).toBe('10.96.0.2');
    // An IPv6 address that begins as an expected IPv4 one.
    expect(address(addressV6.replaceAll('fd00009600000000', '0a60000100000000'))).toBe('a60:1::1');
    expect(route(routeV4.replace('7f000001', '7f000002'))).toMatchObject({ source: '127.0.0.2', protocol: 115 });
    expect(route(routeV4.replace('08000700 7f000001 ', ''))).toMatchObject({ source: undefined, protocol: 115 });
    expect(route(routeV4.replace('ff73fe02', 'fe73fd01'))).toMatchObject({ isLocal: false });
    expect(route(routeV4.replace('ff73', 'ff02'))).toMatchObject({ source: '127.0.0.1', protocol: 2 });
  });

  it('never make the readers throw anything but a decode error', () => {
    const readers: readonly ((message: MessageCursor) => unknown)[] = [
      readLinkAddress,
      readHostRoute,
      readLink,
      (message) => recogniseAddress(expectedVips(bothVips), message),
      (message) => recogniseRoute(expectedVips(bothVips), message),
    ];
    const recorded = [addressV4, addressV6, routeV4, routeV6].map((hex) => Buffer.from(compact(hex), 'hex'));
    const changed = fc
      .tuple(fc.constantFrom(...recorded), fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 6 }), fc.nat(90))
      .map(([bytes, changes, length]) => {
        const copy = Buffer.from(bytes);
        for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
        return copy.subarray(0, length);
      });
    let reached = 0;
    fc.assert(
      fc.property(fc.constantFrom(newLink, newAddress, newRoute), changed, (type, bytes) => {
        for (const reader of readers) {
          try {
            if (read(type, bytes.toString('hex'), reader) !== undefined) reached += 1;
          } catch (thrown) {
            if (!isNetlinkDecodeError(thrown)) throw thrown;
          }
        }
      }),
      { numRuns: 2000 },
    );
    expect(reached).toBeGreaterThan(0);
  });
});

function payload(write: (batch: Batch) => void): string {
  const batch = createBatch();
  write(batch);
  return batch.bytes.toString('hex', 16, batch.length);
}

function readHostRoute(message: MessageCursor): HostRoute | undefined {
  const route = locateHostRoute(message);
  return route === undefined ? undefined : copyHostRoute(message, route);
}

function compact(hex: string): string {
  return hex.replaceAll(' ', '');
}

function read<Item>(type: number, hex: string, reader: (message: MessageCursor) => Item): Item {
  const body = Buffer.from(compact(hex), 'hex');
  const bytes = Buffer.alloc(16 + body.length);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt16LE(type, 4);
  body.copy(bytes, 16);
  const cursor = messageCursor(receivedBytes(bytes), bytes.length);
  expect(nextMessage(cursor)).toBe(true);
  return reader(cursor);
}
