import { describe, expect, it } from 'vitest';
import { insertionOrder } from '../../src/core/insertion-order.ts';
import { schedulers } from '../../src/core/model/virtual-server.ts';
import { destination } from '../support/servers.ts';

const ten = Array.from({ length: 10 }, (_, index) => destination(`10.1.0.${index}`));
const nodes = Array.from({ length: 100 }, (_, index) => `node-${index}`);

describe('insertionOrder', () => {
  it('starts elsewhere on other nodes, and always in the same place on one (#121591)', () => {
    const first = nodes.map((node) => insertionOrder(ten, 'rr', node)[0]?.address);
    expect(new Set(first).size).toBeGreaterThanOrEqual(8);
    expect(nodes.map((node) => insertionOrder(ten, 'rr', node)[0]?.address)).toEqual(first);
  });

  it.each(schedulers)('loses and doubles nothing with %s', (scheduler) => {
    const found = insertionOrder(ten, scheduler, 'node-a');
    expect([...found].sort((one, other) => (one.address < other.address ? -1 : 1))).toEqual(ten);
  });

  it.each(['mh', 'sh', 'dh'])('is the given one with %s, whose table depends on it', (scheduler) => {
    for (const node of nodes) {
      expect(insertionOrder(ten, scheduler, node)).toEqual(ten);
    }
  });

  it('has nothing to turn with less than two', () => {
    expect(insertionOrder([], 'rr', 'node-a')).toEqual([]);
    expect(insertionOrder(ten.slice(0, 1), 'rr', 'node-a')).toEqual(ten.slice(0, 1));
  });
});
