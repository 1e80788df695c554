import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Expected } from '../../../src/core/actual.ts';
import { filterElementKey } from '../../../src/core/keys.ts';
import type { FilterElement } from '../../../src/core/model/filter-element.ts';
import type { FilterOperation } from '../../../src/core/model/operation.ts';
import { finish } from '../../../src/core/steps.ts';
import { renderElements } from '../../../src/kernel/nft/render.ts';
import type { FilterPort, FilterSkeleton } from '../../../src/kernel/ports.ts';

/** One filter under test. */
export interface FilterUnderTest {
  readonly filter: FilterPort;
  /** Compares what the port says with what another program reads. */
  readonly check?: () => void;
  /** What `nft flush ruleset` of somebody else does. */
  readonly flushRuleset: () => void;
  readonly close: () => void;
}

export const skeleton: FilterSkeleton = {
  podInterface: undefined,
  masqueradeMark: 0x4000,
  fwmarkMask: 0x3fff,
};

export function add(element: FilterElement): FilterOperation {
  return { kind: 'add-element', element };
}

export function remove(element: FilterElement): FilterOperation {
  return { kind: 'remove-element', element };
}

/** One element of every set in both families. */
export const oneOfEach: readonly FilterElement[] = [
  { set: 'virtual_servers', address: '10.96.0.1', protocol: 'TCP', port: 80, comment: 'default/web:http' },
  { set: 'virtual_servers', address: 'fd00:96::1', protocol: 'SCTP', port: 65535, comment: 'default/web:sctp' },
  { set: 'fwmarks', family: 'IPv4', mark: 1, comment: 'default/web' },
  { set: 'fwmarks', family: 'IPv6', mark: 0xffff0000 },
  { set: 'pod_sources', range: '10.1.0.0/16' },
  { set: 'pod_sources', range: 'fd00:1::/48' },
  { set: 'service_ranges', range: '10.96.0.0/12' },
  { set: 'service_ranges', range: 'fd00:96::/108' },
  { set: 'vips', address: '10.96.0.1' },
  { set: 'vips', address: 'fd00:96::1' },
  { set: 'masquerade', address: '10.96.0.1', protocol: 'UDP', port: 53 },
  { set: 'masquerade', address: 'fd00:96::1', protocol: 'UDP', port: 53 },
  { set: 'masquerade_outside', address: '10.96.0.2', protocol: 'TCP', port: 1 },
  { set: 'masquerade_outside', address: 'fd00:96::2', protocol: 'TCP', port: 1 },
  { set: 'inside_view', address: '192.0.2.1', protocol: 'TCP', port: 443, mark: 0x12345678 },
  { set: 'inside_view', address: '2001:db8::1', protocol: 'UDP', port: 443, mark: 2 },
  { set: 'drop', address: '10.96.0.3', protocol: 'TCP', port: 80 },
  { set: 'drop', address: 'fd00:96::3', protocol: 'TCP', port: 80 },
  { set: 'drop_outside', address: '192.0.2.9', protocol: 'TCP', port: 80 },
  { set: 'drop_outside', address: '2001:db8::9', protocol: 'TCP', port: 80 },
  { set: 'restricted', address: '192.0.2.1', protocol: 'TCP', port: 443 },
  { set: 'restricted', address: '2001:db8::1', protocol: 'UDP', port: 443 },
  { set: 'allowed_sources', address: '192.0.2.1', protocol: 'TCP', port: 443, range: '203.0.113.0/24' },
  { set: 'allowed_sources', address: '2001:db8::1', protocol: 'UDP', port: 443, range: '2001:db8:113::/56' },
  { set: 'hairpin', address: '10.1.0.2' },
  { set: 'hairpin', address: 'fd00:1::2' },
];

const done = { failures: [], unknown: false };
const vip = (address: string): FilterElement => ({ set: 'vips', address });
const view = (mark: number): FilterElement => ({
  set: 'inside_view',
  address: '192.0.2.1',
  protocol: 'TCP',
  port: 80,
  mark,
});

function expecting(elements: readonly FilterElement[]): Expected['eachElement'] {
  return function* (visit) {
    for (const element of elements) {
      visit(filterElementKey(element), element);
      yield;
    }
  };
}

/** What every FilterPort does. */
export function testFilterContract(open: () => FilterUnderTest): void {
  let under: FilterUnderTest;
  let filter: FilterPort;

  beforeEach(() => {
    under = open();
    filter = under.filter;
  });
  afterEach(() => {
    under.check?.();
    under.close();
  });

  const text = (): string | undefined => {
    const elements = filter.dump();
    return elements === undefined ? undefined : renderElements(elements);
  };

  it('has no elements before the table is there', () => {
    expect(filter.dump()).toBeUndefined();
    expect(filter.holds(['vips'])).toBe(false);
    expect(filter.removeTable()).toBe('absent');
  });

  it('holds its sets once the table is there, until somebody flushes it', async () => {
    await filter.ensureTable(skeleton);
    expect(filter.holds([])).toBe(true);
    expect(filter.holds(['vips', 'virtual_servers'])).toBe(true);
    under.flushRuleset();
    expect(filter.holds([])).toBe(false);
    expect(filter.holds(['vips'])).toBe(false);
  });

  it('has nothing to read before the table is there', () => {
    expect(finish(filter.read(expecting([])))).toBeUndefined();
  });

  it('reads expected elements as the objects that they are', async () => {
    await filter.ensureTable(skeleton);
    expect(filter.apply(oneOfEach.map(add))).toEqual(done);
    const read = finish(filter.read(expecting(oneOfEach)));
    expect(read?.size).toBe(oneOfEach.length);
    const [ranges, others] = [true, false].map((is) => oneOfEach.filter((element) => 'range' in element === is));
    for (const element of others ?? []) expect(read?.get(filterElementKey(element))).toBe(element);
    for (const element of ranges ?? []) expect(read?.get(filterElementKey(element))).toEqual(element);
  });

  it('reads other elements as they are, and expected ones that are not there not at all', async () => {
    await filter.ensureTable(skeleton);
    expect(filter.apply([add(view(1)), add(vip('10.96.0.1'))])).toEqual(done);
    const expected = [view(2), vip('10.96.0.2')];
    const read = finish(filter.read(expecting(expected)));
    expect(new Set(read?.values())).toEqual(new Set([view(1), vip('10.96.0.1')]));
    expect([...(read ?? [])].every(([key, element]) => key === filterElementKey(element))).toBe(true);
  });

  it('may be written to while it is read in steps', async () => {
    await filter.ensureTable(skeleton);
    const addresses = Array.from({ length: 2_000 }, (_, index) => vip(`10.96.${index >> 8}.${index & 255}`));
    const [first, ...others] = addresses;
    if (first === undefined) throw new Error('no addresses');
    expect(filter.apply(addresses.map(add))).toEqual(done);
    const steps = filter.read(expecting(addresses));
    steps.next();
    steps.next();
    expect(filter.apply([remove(first), add(view(1))])).toEqual(done);
    expect(filter.dump()).toHaveLength(addresses.length);
    const read = finish(steps);
    expect(others.every((element) => read?.get(filterElementKey(element)) === element)).toBe(true);
  });

  it('dumps the sets that are asked for', async () => {
    await filter.ensureTable(skeleton);
    expect(filter.apply(oneOfEach.map(add))).toEqual(done);
    expect(filter.dump(['inside_view'])).toEqual(oneOfEach.filter(({ set }) => set === 'inside_view'));
  });

  it('refuses additions without a table, and has nothing to remove', () => {
    const { failures, unknown } = filter.apply([add(vip('10.96.0.1')), remove(vip('10.96.0.2')), add(view(1))]);
    expect(failures.map(({ index, error }) => [index, error.code])).toEqual([
      [0, 'ENOENT'],
      [2, 'ENOENT'],
    ]);
    expect(unknown).toBe(false);
  });

  it('makes an empty table', async () => {
    await filter.ensureTable(skeleton);
    expect(filter.dump()).toEqual([]);
  });

  it('adds an element of every set and reads it back', async () => {
    await filter.ensureTable(skeleton);
    expect(filter.apply(oneOfEach.map(add))).toEqual(done);
    expect(text()).toBe(renderElements(oneOfEach));
  });

  it('keeps the elements when the table is loaded again with another configuration', async () => {
    await filter.ensureTable(skeleton);
    filter.apply(oneOfEach.map(add));
    await filter.ensureTable({ ...skeleton, podInterface: 'cali*', masqueradeMark: 0x1000000 });
    expect(text()).toBe(renderElements(oneOfEach));
  });

  it('removes every element', async () => {
    await filter.ensureTable(skeleton);
    filter.apply(oneOfEach.map(add));
    expect(filter.apply(oneOfEach.map(remove))).toEqual(done);
    expect(filter.dump()).toEqual([]);
  });

  it('takes additions of what is there and removals of what is not as done', async () => {
    await filter.ensureTable(skeleton);
    filter.apply([add(vip('10.96.0.1'))]);
    const mixed = [add(vip('10.96.0.1')), remove(vip('10.96.0.2')), add(vip('10.96.0.3')), remove(vip('fd00::1'))];
    expect(filter.apply(mixed)).toEqual(done);
    expect(text()).toBe('vips 10.96.0.1\nvips 10.96.0.3');
  });

  it('puts another mark in the place of the one that a map has', async () => {
    await filter.ensureTable(skeleton);
    filter.apply([add(view(1))]);
    expect(filter.apply([add(vip('10.96.0.1')), add(view(2)), remove(vip('10.96.0.9'))])).toEqual(done);
    expect(text()).toBe('inside_view TCP 192.0.2.1:80 mark 2\nvips 10.96.0.1');
    expect(filter.apply([add(view(2))])).toEqual(done);
  });

  it('ends as if operations on one element were carried out in order', async () => {
    await filter.ensureTable(skeleton);
    const [a, b] = [vip('10.96.0.1'), vip('10.96.0.2')];
    expect(filter.apply([add(a), remove(a), remove(b), add(b), add(view(1)), add(view(2))])).toEqual(done);
    expect(text()).toBe('inside_view TCP 192.0.2.1:80 mark 2\nvips 10.96.0.2');
  });

  describe.each(['allowed_sources', 'pod_sources', 'service_ranges'] as const)('ranges in %s', (set) => {
    const from = (range: string): FilterElement => {
      const address = range.includes(':') ? '2001:db8::1' : '192.0.2.1';
      return set === 'allowed_sources' ? { set, address, protocol: 'TCP', port: 80, range } : { set, range };
    };

    it('stand beside each other, from one address up to half of all', async () => {
      await filter.ensureTable(skeleton);
      const ranges = ['10.0.0.0/8', '11.0.0.0/8', '12.0.0.1/32', '128.0.0.0/1', 'fd00::/8', '2001:db8::7/128', '::/3'];
      const elements = ranges.map(from);
      expect(filter.apply(elements.map(add))).toEqual(done);
      expect(filter.apply(elements.map(add))).toEqual(done);
      expect(text()).toBe(renderElements(elements));
      expect(filter.apply([remove(from('11.0.0.0/8')), remove(from('128.0.0.0/1'))])).toEqual(done);
      const kept = ranges.filter((range) => range !== '11.0.0.0/8' && range !== '128.0.0.0/1');
      expect(text()).toBe(renderElements(kept.map(from)));
    });

    it('may hold everything', async () => {
      await filter.ensureTable(skeleton);
      const elements = [from('0.0.0.0/0'), from('::/0')];
      expect(filter.apply(elements.map(add))).toEqual(done);
      expect(text()).toBe(renderElements(elements));
      expect(filter.apply([...elements.map(remove), add(from('10.0.0.0/8'))])).toEqual(done);
      expect(text()).toBe(renderElements([from('10.0.0.0/8')]));
    });

    it('may not meet', async () => {
      await filter.ensureTable(skeleton);
      expect(filter.apply([add(from('10.0.0.0/8')), add(from('fd00::/8'))])).toEqual(done);
      const { failures } = filter.apply([add(from('10.1.0.0/16')), add(from('fd00::1/128')), add(from('11.0.0.0/8'))]);
      expect(failures.map(({ index, error }) => [index, error.code])).toEqual([
        [0, 'EEXIST'],
        [1, 'EEXIST'],
      ]);
      expect(text()).toBe(renderElements(['10.0.0.0/8', '11.0.0.0/8', 'fd00::/8'].map(from)));
    });

    it('make room for each other in one go, whichever is named first', async () => {
      await filter.ensureTable(skeleton);
      filter.apply([add(from('10.0.0.0/8')), add(from('fd00::/8'))]);
      const narrower = [
        add(from('10.1.0.0/16')),
        remove(from('10.0.0.0/8')),
        remove(from('fd00::/8')),
        add(from('fd00::/9')),
      ];
      expect(filter.apply(narrower)).toEqual(done);
      expect(text()).toBe(renderElements([from('10.1.0.0/16'), from('fd00::/9')]));
      expect(filter.apply([add(from('10.0.0.0/7')), remove(from('10.1.0.0/16'))])).toEqual(done);
      expect(text()).toBe(renderElements([from('10.0.0.0/7'), from('fd00::/9')]));
    });
  });

  it('lets the ranges of different frontends meet', async () => {
    await filter.ensureTable(skeleton);
    const from = (range: string, port: number): FilterElement => {
      return { set: 'allowed_sources', address: '192.0.2.1', protocol: 'TCP', port, range };
    };
    expect(filter.apply([add(from('10.0.0.0/8', 80)), add(from('10.1.0.0/16', 81))])).toEqual(done);
    expect(filter.dump()).toHaveLength(2);
  });

  it('does not compare comments', async () => {
    await filter.ensureTable(skeleton);
    const element = { set: 'virtual_servers', address: '10.96.0.1', protocol: 'TCP', port: 80 } as const;
    filter.apply([add({ ...element, comment: 'first' })]);
    expect(filter.apply([add({ ...element, comment: 'second' })])).toEqual(done);
    expect(text()).toBe('virtual_servers TCP 10.96.0.1:80 "first"');
    expect(filter.apply([remove({ ...element, comment: 'third' })])).toEqual(done);
    expect(filter.dump()).toEqual([]);
  });

  it('adds ten thousand elements of two sets, taking turns', async () => {
    await filter.ensureTable(skeleton);
    const operations = Array.from({ length: 10_000 }, (_, index) => {
      const address = `10.96.${index >> 9}.${(index >> 1) & 255}`;
      return add(index % 2 === 0 ? { set: 'drop', address, protocol: 'TCP', port: 80 } : vip(address));
    });
    expect(filter.apply(operations)).toEqual(done);
    expect(filter.dump()).toHaveLength(10_000);
  });

  it('says that the table is missing when somebody flushed the ruleset, and makes it again', async () => {
    await filter.ensureTable(skeleton);
    filter.apply([add(vip('10.96.0.1'))]);
    under.flushRuleset();
    expect(filter.dump()).toBeUndefined();
    await filter.ensureTable(skeleton);
    expect(filter.dump()).toEqual([]);
  });

  it('removes the table once', async () => {
    await filter.ensureTable(skeleton);
    filter.apply(oneOfEach.map(add));
    expect(filter.removeTable()).toBe('removed');
    expect(filter.removeTable()).toBe('absent');
    expect(filter.dump()).toBeUndefined();
  });

  it('refuses a mark and an interface that are none', async () => {
    for (const podInterface of ['', 'a"b', '*', 'sixteen-letters-']) {
      await expect(filter.ensureTable({ ...skeleton, podInterface })).rejects.toThrow(RangeError);
    }
    await expect(filter.ensureTable({ ...skeleton, masqueradeMark: 0 })).rejects.toThrow(RangeError);
  });
}
