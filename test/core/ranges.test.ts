import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CIDR, cidrContains, formatCIDR, parseCIDR } from '../../src/core/address.ts';
import { boundsOf, formatRange, rangesMeet, withoutNested } from '../../src/core/ranges.ts';

function cidr(text: string): CIDR {
  const parsed = parseCIDR(text);
  if (parsed === undefined) {
    throw new Error(`no CIDR: ${text}`);
  }
  return parsed;
}

/** Few bits vary, so that ranges often meet. */
const anyCIDR: fc.Arbitrary<CIDR> = fc
  .record({
    isIPv6: fc.boolean(),
    byte: fc.constantFrom(0, 1, 2, 3, 128, 255),
    prefixLength: fc.constantFrom(0, 1, 7, 8, 9, 14, 15, 16, 31, 32),
  })
  .map(({ isIPv6, byte, prefixLength }) => {
    return cidr(
      isIPv6 ? `fd${byte.toString(16).padStart(2, '0')}::/${prefixLength * 4}` : `10.${byte}.0.0/${prefixLength}`,
    );
  });

describe('the bounds of a range', () => {
  it.each([
    ['10.0.0.0/8', [10, 0, 0, 0], [10, 255, 255, 255]],
    ['10.1.2.128/25', [10, 1, 2, 128], [10, 1, 2, 255]],
    ['10.1.2.3/32', [10, 1, 2, 3], [10, 1, 2, 3]],
    ['0.0.0.0/0', [0, 0, 0, 0], [255, 255, 255, 255]],
    ['10.0.0.1-10.0.0.6', [10, 0, 0, 1], [10, 0, 0, 6]],
  ])('of %s are inside', (range, first, last) => {
    expect(boundsOf(range)).toEqual({ first: Uint8Array.from(first), last: Uint8Array.from(last) });
  });

  it('are read back as they were written', () => {
    fc.assert(
      fc.property(anyCIDR, (one) => {
        expect(formatRange(boundsOf(formatCIDR(one)), one.family)).toBe(formatCIDR(one));
      }),
    );
    expect(formatRange(boundsOf('10.0.0.1-10.0.0.6'), 'IPv4')).toBe('10.0.0.1-10.0.0.6');
    expect(formatRange(boundsOf('10.0.0.0-10.0.0.7'), 'IPv4')).toBe('10.0.0.0/29');
    expect(formatRange(boundsOf('fd00::-fd00::ffff'), 'IPv6')).toBe('fd00::/112');
    expect(formatRange(boundsOf('fd00::1-fd00::2'), 'IPv6')).toBe('fd00::1-fd00::2');
  });
});

describe('ranges that meet', () => {
  it.each([
    ['10.0.0.0/8', '10.255.255.255/32', true],
    ['10.1.0.0/16', '10.0.0.0/8', true],
    ['10.0.0.0/8', '11.0.0.0/8', false],
    ['10.0.0.1-10.0.0.6', '10.0.0.6/32', true],
    ['0.0.0.0/0', '::/0', false],
    ['fd00::/64', 'fd00::1/128', true],
  ])('%s and %s: %s', (one, other, expected) => {
    expect([rangesMeet(one, other), rangesMeet(other, one)]).toEqual([expected, expected]);
  });
});

describe('CIDRs without those that lie in another', () => {
  it('keeps what is beside each other and drops the rest', () => {
    const given = ['10.1.0.0/16', '10.0.0.0/8', '11.0.0.0/8', '10.0.0.0/8', 'fd00::1/128', 'fd00::/64', '10.0.0.0/9'];
    expect(withoutNested(given.map(cidr)).map(formatCIDR)).toEqual(['10.0.0.0/8', '11.0.0.0/8', 'fd00::/64']);
  });

  it('leaves disjoint ones that cover what was covered', () => {
    fc.assert(
      fc.property(fc.array(anyCIDR, { maxLength: 8 }), (given) => {
        const kept = withoutNested(given);
        const texts = kept.map(formatCIDR);
        for (const [index, text] of texts.entries()) {
          expect(texts.slice(index + 1).filter((other) => rangesMeet(text, other))).toEqual([]);
        }
        const lost = given.filter(
          (one) => !kept.some((wide) => cidrContains(wide, one.address) && wide.prefixLength <= one.prefixLength),
        );
        expect(lost).toEqual([]);
      }),
    );
  });
});
