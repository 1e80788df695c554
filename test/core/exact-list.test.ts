import { expect, test } from 'vitest';

import { exactList } from '../../src/core/exact-list.ts';

test('a list is a copy with the same items', () => {
  const list = ['a', 'b'];
  const kept = exactList(list);
  list.push('c');
  expect(kept).toStrictEqual(['a', 'b']);
});

test('all empty lists are one, which nobody can change', () => {
  expect(exactList([])).toBe(exactList<number>([]));
  expect(Object.isFrozen(exactList([]))).toBe(true);
});
