import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { coalesce } from '../../src/app/coalesce.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('delivers at once when no rest is asked for', () => {
  const deliver = vi.fn<(batch: readonly number[]) => void>();
  const take = coalesce(deliver, 0);
  take([1]);
  take([2]);
  expect(deliver.mock.calls).toEqual([[[1]], [[2]]]);
});

it('delivers the first at once and what comes during the rest together, in order', () => {
  const deliver = vi.fn<(batch: readonly number[]) => void>();
  const take = coalesce(deliver, 1_000);
  take([1]);
  expect(deliver.mock.calls).toEqual([[[1]]]);
  take([2]);
  vi.advanceTimersByTime(400);
  take([3, 4]);
  vi.advanceTimersByTime(599);
  expect(deliver).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(1);
  expect(deliver.mock.calls.slice(1)).toEqual([[[2, 3, 4]]]);
  vi.advanceTimersByTime(999);
  take([5]);
  expect(deliver).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(1);
  expect(deliver.mock.calls.slice(2)).toEqual([[[5]]]);
  vi.advanceTimersByTime(5_000);
  take([6]);
  expect(deliver.mock.calls.slice(3)).toEqual([[[6]]]);
});
