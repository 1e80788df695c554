import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LargeMap } from '../../src/core/large-map.ts';

/** What may be done with a Map; few names, so that they meet again. */
const acts = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ act: fc.constant('set' as const), key: fc.integer({ min: 0, max: 40 }) }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('delete' as const), key: fc.integer({ min: 0, max: 40 }) }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('clear' as const), key: fc.constant(0) }) },
  ),
);

/** Whether something was deleted. */
function perform(map: Map<string, number>, act: 'set' | 'delete' | 'clear', key: string, value: number): boolean {
  switch (act) {
    case 'set':
      map.set(key, value);
      return false;
    case 'delete':
      return map.delete(key);
    case 'clear':
      map.clear();
      return false;
  }
}

function byKey([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}

describe('is a Map, beyond the first ones too', () => {
  test.each([0, 1, 5, 100])('with %i first ones', (limit) => {
    fc.assert(
      fc.property(acts, (done) => {
        const large = new LargeMap<number>(limit);
        const model = new Map<string, number>();
        for (const [value, { act, key: number }] of done.entries()) {
          const key = `key ${number}`;
          expect(perform(large, act, key, value)).toBe(perform(model, act, key, value));
          expect(large.size).toBe(model.size);
          expect(large.has(key)).toBe(model.has(key));
          expect(large.get(key)).toBe(model.get(key));
        }
        const visited: [string, number][] = [];
        large.forEach((value, key, map) => {
          expect(map).toBe(large);
          visited.push([key, value]);
        });
        const expected = [...model].toSorted(byKey);
        expect(visited.toSorted(byKey)).toStrictEqual(expected);
        expect([...large].toSorted(byKey)).toStrictEqual(expected);
        expect([...large.entries()].toSorted(byKey)).toStrictEqual(expected);
        expect(new Set(large.keys())).toStrictEqual(new Set(model.keys()));
        expect(new Set(large.values())).toStrictEqual(new Set(model.values()));
      }),
    );
  });
});

test('a key whose value is undefined is there', () => {
  const large = new LargeMap<undefined>(0);
  large.set('key', undefined);
  expect([large.has('key'), large.size, [...large]]).toStrictEqual([true, 1, [['key', undefined]]]);
});

test('the first ones stay in their order', () => {
  const large = new LargeMap<number>(3);
  for (const [value, key] of ['c', 'a', 'b'].entries()) {
    large.set(key, value);
  }
  large.set('a', 7);
  expect([...large]).toStrictEqual([
    ['c', 0],
    ['a', 7],
    ['b', 2],
  ]); // prettier-ignore
});

test('what is set while it is gone through is come by, as in any Map', () => {
  const large = new LargeMap<number>(2);
  large.set('a', 0).set('b', 1);
  const seen: string[] = [];
  for (const key of large.keys()) {
    seen.push(key);
    if (key === 'b') {
      large.set('c', 2);
    }
  }
  expect(seen).toStrictEqual(['a', 'b', 'c']);
});

/** What a `Map` does of itself in one part, told apart from outside: the order in which a part is gone through. */
test.each([
  ['virtual servers', (index: number) => `TCP 10.96.${index >> 8}.${index & 255}:80`],
  ['virtual servers in IPv6', (index: number) => `UDP [fd00:10:96::${index.toString(16)}]:53`],
  ['elements', (index: number) => `virtual_servers TCP 10.96.${index >> 8}.${index & 255}:8443`],
  ['Services', (index: number) => `namespace-${index % 100}/service-${index}`],
  ['EndpointSlices', (index: number) => `default/service-${index}-abcde`],
])('spreads the keys of %s: no part has twice its share', (_, keyOf) => {
  const keys = Array.from({ length: 20_000 }, (_each, index) => keyOf(index));
  const large = new LargeMap<number>(0);
  const place = new Map(keys.map((key, index) => [key, index]));
  for (const key of keys) {
    large.set(key, 0);
  }
  // Within a part keys come in the order in which they were set: where the order falls back, another part begins.
  const order = [...large.keys()].map((key) => place.get(key) ?? 0);
  const begins = order.flatMap((each, index) => (each < (order[index - 1] ?? Infinity) ? [index] : []));
  const sizes = begins.map((begin, index) => (begins[index + 1] ?? order.length) - begin);
  expect(sizes.length).toBe(64);
  expect(Math.max(...sizes)).toBeLessThan((2 * keys.length) / 64);
});
