import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addKey, clearKeyIndex, createKeyIndex, findKey, type KeyIndex } from '../../src/kernel/key-index.ts';

describe('an index of binary keys', () => {
  it('finds what was added at its position, and nothing else', () => {
    const word = fc.oneof(fc.nat({ max: 3 }), fc.integer({ min: 0, max: 0xffff_ffff }));
    const keys = fc.uniqueArray(fc.tuple(word, word, word), { maxLength: 200, selector: String });
    fc.assert(
      fc.property(keys, keys, (added, others) => {
        const index = createKeyIndex(3);
        clearKeyIndex(index, added.length);
        const positions = added.map((key) => addKey(write(index, key)));
        expect(positions).toEqual(added.map((_, position) => position));
        expect(added.map((key) => findKey(write(index, key)))).toEqual(positions);
        const absent = others.filter((key) => !added.some((each) => String(each) === String(key)));
        expect(absent.every((key) => findKey(write(index, key)) === -1)).toBe(true);
      }),
    );
  });

  it('forgets when it is cleared, and grows', () => {
    const index = createKeyIndex(1);
    clearKeyIndex(index, 1);
    addKey(write(index, [7]));
    clearKeyIndex(index, 5_000);
    expect(findKey(write(index, [7]))).toBe(-1);
    for (let value = 0; value < 5_000; value += 1) addKey(write(index, [value]));
    expect(findKey(write(index, [4_999]))).toBe(4_999);
  });
});

function write(index: KeyIndex, words: readonly number[]): KeyIndex {
  index.key.set(words);
  return index;
}
