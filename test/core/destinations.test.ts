import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  changeDestinations,
  eachPair,
  findDestination,
  isSameDestinations,
  listDestinations,
} from '../../src/core/destinations.ts';
import { destinationKey } from '../../src/core/keys.ts';
import type { Destination } from '../../src/core/model/virtual-server.ts';

const anyDestination: fc.Arbitrary<Destination> = fc.record({
  address: fc.constantFrom('10.1.0.1', '10.1.0.10', '10.1.0.2', '10.10.0.1', 'fd00::1', 'fd00::a'),
  port: fc.constantFrom(80, 8080, 9),
  weight: fc.integer({ min: 0, max: 2 }),
  forwarding: fc.constantFrom('masquerade', 'tunnel'),
});

const several = fc.array(anyDestination, { maxLength: 12 });

/** What a list stands for. */
function mapOf(destinations: Iterable<Destination>): Map<string, Destination> {
  return new Map([...destinations].map((each) => [destinationKey(each), each]));
}

describe('a list of destinations', () => {
  it('has each key once, the last one of several, and is sorted by key', () => {
    fc.assert(
      fc.property(several, (destinations) => {
        const list = listDestinations(destinations);
        expect(list.map(destinationKey)).toEqual([...mapOf(destinations).keys()].sort());
        expect(mapOf(list)).toEqual(mapOf(destinations));
      }),
    );
  });

  it('finds by key what is in it, and nothing else', () => {
    fc.assert(
      fc.property(several, anyDestination, (destinations, other) => {
        const list = listDestinations(destinations);
        for (const each of [...list, other]) {
          expect(findDestination(list, destinationKey(each))).toBe(mapOf(list).get(destinationKey(each)));
        }
      }),
    );
  });

  it.each([12, 40])('is changed as a Map is, by up to %i changes', (maxLength) => {
    const change = fc.record({ isGone: fc.boolean(), destination: anyDestination });
    fc.assert(
      fc.property(several, fc.array(change, { maxLength, size: 'max' }), (destinations, changes) => {
        const list = listDestinations(destinations);
        const before = [...list];
        const map = mapOf(destinations);
        for (const { isGone, destination } of changes) {
          if (isGone) {
            map.delete(destinationKey(destination));
          } else {
            map.set(destinationKey(destination), destination);
          }
        }
        expect(changeDestinations(list, changes)).toEqual(listDestinations(map.values()));
        expect(list).toEqual(before);
      }),
    );
  });

  it('goes in pairs with another: each key once, in order, with what each of them has', () => {
    fc.assert(
      fc.property(several, several, (some, others) => {
        const [one, other] = [listDestinations(some), listDestinations(others)];
        const pairs: (readonly [Destination | undefined, Destination | undefined])[] = [];
        eachPair(one, other, (its, its2) => pairs.push([its, its2]));
        const keys = [...new Set([...one, ...other].map(destinationKey))].sort();
        expect(pairs).toEqual(keys.map((key) => [mapOf(one).get(key), mapOf(other).get(key)]));
      }),
    );
  });

  it('is the same as another with the same destinations, set the same', () => {
    fc.assert(
      fc.property(several, several, (some, others) => {
        const [one, other] = [listDestinations(some), listDestinations(others)];
        expect(isSameDestinations(one, structuredClone(one))).toBe(true);
        const text = (list: readonly Destination[]): string =>
          list.map((each) => `${destinationKey(each)} ${each.weight} ${each.forwarding}`).join();
        expect(isSameDestinations(one, other)).toBe(text(one) === text(other));
      }),
    );
  });
});
