import { describe, expect, it } from 'vitest';
import { fakeFilter } from '../../../src/kernel/fake/filter.ts';
import { add, skeleton, testFilterContract } from './contract.ts';

describe('the table in memory', () => {
  testFilterContract(() => {
    const filter = fakeFilter();
    return { filter, flushRuleset: () => filter.flushRuleset(), close: () => filter.close() };
  });

  it('refuses what it is told to, once, and counts', async () => {
    const filter = fakeFilter();
    await filter.ensureTable(skeleton);
    filter.failNext(({ element }) => element.set === 'vips', 'ENOMEM');
    const operations = [add({ set: 'vips', address: '10.96.0.1' }), add({ set: 'hairpin', address: '10.1.0.1' })];
    expect(filter.apply(operations).failures.map(({ index, error }) => [index, error.code])).toEqual([[0, 'ENOMEM']]);
    expect(filter.apply(operations).failures).toEqual([]);
    expect([filter.writes, filter.loads]).toEqual([4, 1]);
  });

  it('loses replies after the work is done', async () => {
    const filter = fakeFilter();
    await filter.ensureTable(skeleton);
    filter.loseNextReplies();
    const operations = [add({ set: 'vips', address: '10.96.0.1' })];
    expect(filter.apply(operations).unknown).toBe(true);
    expect(filter.dump()).toHaveLength(1);
    expect(filter.apply(operations).unknown).toBe(false);
  });
});
