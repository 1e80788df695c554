import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressBytes,
  cidrContains,
  familyOf,
  formatCIDR,
  formatEndpoint,
  parseAddress,
  parseCIDR,
  readAddress,
  writeAddress,
} from '../../src/core/address.ts';

describe('parseAddress', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['172.30.0.041', '172.30.0.41'],
    ['010.000.0.09', '10.0.0.9'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::ffff:a00:1', '10.0.0.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
    ['::1.2.3.4', '::102:304'],
    ['FD00::ABCD', 'fd00::abcd'],
  ])('writes %s as %s', (text, canonical) => {
    expect(parseAddress(text)).toBe(canonical);
  });

  it.each([
    // RFC 5952 section 4: leading zeros, the longest run, the first of two equal runs, no run of one.
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8:AAAA::1', '2001:db8:aaaa::1'],
    ['1:2:3:4:5:6:0:0', '1:2:3:4:5:6::'],
    ['0:0:3:4:5:6:7:8', '::3:4:5:6:7:8'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ])('follows RFC 5952 with %s', (text, canonical) => {
    expect(parseAddress(text)).toBe(canonical);
  });

  it.each([
    '',
    ' ',
    'abc',
    '10.0.0',
    '10.0.0.1.2',
    '10.0.0.256',
    '10.0.0.-1',
    '10.0.0.1 ',
    ' 10.0.0.1',
    '10.0.0.0x1',
    '10.0..1',
    '1.2.3.4::',
    ':',
    ':::',
    '1:::2',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    ':1:2:3:4:5:6:7',
    '12345::',
    'g::1',
    'fe80::1%eth0',
    '::1.2.3',
    '::1.2.3.4:5',
    '[::1]',
    '10.0.0.1/32',
  ])('finds no address in %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it('accepts whatever Node takes for an IPv4 address, unchanged', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        expect(isIPv4(text)).toBe(true);
        expect(parseAddress(text)).toBe(text);
      }),
    );
  });

  it('accepts whatever Node takes for an IPv6 address, and writes the same one', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const canonical = parseAddress(text) ?? '';
        const node = new SocketAddress({ address: text, family: 'ipv6' });
        const ours = new SocketAddress({
          address: canonical.includes(':') ? canonical : `::ffff:${canonical}`,
          family: 'ipv6',
        });
        expect(isIPv6(text)).toBe(true);
        expect(ours.address).toBe(node.address);
        expect(parseAddress(canonical)).toBe(canonical);
      }),
    );
  });
});

describe('bytes of an address', () => {
  it('survive the way to text and back', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(bytes, fc.nat(5), (given, offset) => {
        const buffer = new Uint8Array(32).fill(0xee);
        buffer.set(given, offset);
        const text = readAddress(buffer, offset, given.length === 4 ? 'IPv4' : 'IPv6');
        const written = new Uint8Array(32).fill(0xee);
        expect(writeAddress(text, written, offset)).toBe(given.length);
        expect(written).toEqual(buffer);
        expect(addressBytes(text)).toEqual(Uint8Array.from(given));
      }),
    );
  });

  it('cannot be had of what is no address', () => {
    expect(() => addressBytes('10.0.0')).toThrow(RangeError);
  });
});

describe('familyOf and formatEndpoint', () => {
  it('tell IPv6 by its colons and put it in brackets', () => {
    expect([familyOf('10.0.0.1'), familyOf('fd00::1')]).toEqual(['IPv4', 'IPv6']);
    expect(formatEndpoint('10.0.0.1', 80)).toBe('10.0.0.1:80');
    expect(formatEndpoint('fd00::1', 80)).toBe('[fd00::1]:80');
  });
});

describe('parseCIDR', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.3/0', '0.0.0.0/0'],
    ['10.1.2.255/31', '10.1.2.254/31'],
    ['010.1.2.3/32', '10.1.2.3/32'],
    ['fd00::1/64', 'fd00::/64'],
    ['fd00:ffff::/17', 'fd00:8000::/17'],
    ['::ffff:10.1.2.3/104', '10.0.0.0/8'],
    ['::/0', '::/0'],
  ])('reads %s as %s', (text, canonical) => {
    const cidr = parseCIDR(text);
    expect(cidr === undefined ? undefined : formatCIDR(cidr)).toBe(canonical);
  });

  it.each([
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '/8',
    'fd00::/129',
    '::ffff:10.0.0.0/95',
    '10.0.0.0/8/8',
    '10.0.0.0/1e1',
  ])('finds no CIDR in %j', (text) => {
    expect(parseCIDR(text)).toBeUndefined();
  });

  it.each([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.4/30', '10.0.0.7', true],
    ['10.0.0.4/30', '10.0.0.8', false],
    ['0.0.0.0/0', '192.0.2.1', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '10.0.0.1', false],
    ['fd00::/63', 'fd00:0:0:1::9', true],
    ['fd00::/64', 'fd00:0:0:1::9', false],
  ])('says whether %s contains %s', (text, address, expected) => {
    const cidr = parseCIDR(text);
    expect(cidr !== undefined && cidrContains(cidr, address)).toBe(expected);
  });
});
