import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressBytes, readAddress } from '../../src/core/address.ts';
import { isIPv4TextAt, readAddressText, writeAddressText } from '../../src/kernel/address-text.ts';

const zeroHeavy = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 255 }) });

describe('addresses as text', () => {
  it.each([4, 16] as const)('of %i bytes agree with the core, both ways', (length) => {
    const family = length === 4 ? 'IPv4' : 'IPv6';
    fc.assert(
      fc.property(fc.array(zeroHeavy, { minLength: length, maxLength: length }), (octets) => {
        const bytes = Uint8Array.from(octets);
        const text = readAddressText(bytes, 0, family);
        expect(text).toBe(readAddress(bytes, 0, family));
        const written = new Uint8Array(20).fill(0xff);
        expect(writeAddressText(text, written, 2)).toBe(length);
        expect([...written.subarray(2, 2 + length)]).toEqual(octets);
      }),
    );
  });

  it('of IPv4 are compared with bytes, other texts being none', () => {
    const octets = fc.array(zeroHeavy, { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(octets, octets, (one, other) => {
        const text = readAddressText(Uint8Array.from(one), 0, 'IPv4');
        expect(isIPv4TextAt(text, Uint8Array.of(9, ...one), 1)).toBe(true);
        expect(isIPv4TextAt(text, Uint8Array.of(9, ...other), 1)).toBe(String(one) === String(other));
      }),
    );
    for (const text of ['fd00::1', '::', '1.2.3', '1.2.3.4.5', '']) {
      expect(isIPv4TextAt(text, Uint8Array.of(1, 2, 3, 4, 5), 0)).toBe(false);
    }
  });

  it('that are none write nothing that counts, whatever they look like', () => {
    const pieces = fc.constantFrom('1', '10', '255', '256', 'f', 'FFFF', '00001', '.', ':', '::', ' ', '-', 'g');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 18 }), (parts) => {
        const text = parts.join('');
        const bytes = new Uint8Array(16);
        const written = writeAddressText(text, bytes, 0);
        if (written === 0) return;
        expect([...bytes.subarray(0, written)]).toEqual([...addressBytes(text)]);
      }),
      { numRuns: 2000 },
    );
  });

  it.each(['00001.1.1.1', '1.00001.1.1', '1.1.00001.1', '1.1.1.00001'])('are not read out of %s', (text) => {
    expect(writeAddressText(text, new Uint8Array(16), 0)).toBe(0);
  });

  it('in other spellings of IPv6 are understood', () => {
    for (const text of ['FD00::A', '64:ff9b::1.2.3.4', 'fd00:0:0::a']) {
      const bytes = new Uint8Array(16);
      expect(writeAddressText(text, bytes, 0)).toBe(16);
      expect([...bytes]).toEqual([...addressBytes(text)]);
    }
  });
});
