import { describe, expect, it } from 'vitest';
import { median, medianRecord, percentile, summarise } from './statistics.ts';

const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

describe('the statistics of the benchmark', () => {
  it('takes the middle of an odd number of values, whatever their order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it('takes the mean of the two in the middle of an even number', () => {
    expect(median([10, 1, 4, 2])).toBe(3);
  });

  it('sorts by size, not by text', () => {
    expect(median([9, 10, 100])).toBe(10);
  });

  it('gives percentiles by nearest rank', () => {
    expect([1, 50, 99, 99.5, 100].map((percent) => percentile(hundred, percent))).toEqual([1, 50, 99, 100, 100]);
  });

  it('gives the single value at every percentile', () => {
    expect([0, 50, 100].map((percent) => percentile([7], percent))).toEqual([7, 7, 7]);
  });

  it('gives the one slow value of a thousand as the maximum, not as the 99th percentile', () => {
    const values = [...Array.from({ length: 999 }, () => 1), 50];
    expect(summarise(values)).toEqual({ count: 1000, min: 1, p50: 1, p99: 1, max: 50 });
  });

  it('keeps the parts of a median record together', () => {
    const rounds = [
      { total: 30, part: 1 },
      { total: 10, part: 9 },
      { total: 20, part: 5 },
    ];
    expect(medianRecord(rounds, (round) => round.total)).toEqual({ total: 20, part: 5 });
  });

  it('leaves the list as it was', () => {
    const values = [3, 1, 2];
    summarise(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('refuses to summarise nothing', () => {
    expect(() => summarise([])).toThrow(RangeError);
    expect(() => median([])).toThrow(RangeError);
  });
});
