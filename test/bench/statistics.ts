/** What a list of measurements says, in the unit of the measurements. */
export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Throws RangeError without measurements: a benchmark that measured nothing has no result. */
export function summarise(values: readonly number[]): Summary {
  return {
    count: values.length,
    min: percentile(values, 0),
    p50: percentile(values, 50),
    p99: percentile(values, 99),
    max: percentile(values, 100),
  };
}

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = sortedNumbers(values);
  const half = sorted.length / 2;
  return (at(sorted, Math.ceil(half) - 1) + at(sorted, Math.floor(half))) / 2;
}

/** By nearest rank: the smallest value that at least `percent` of all values do not exceed. Always a measured value. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = sortedNumbers(values);
  const rank = Math.ceil((percent / 100) * sorted.length);
  return at(sorted, Math.max(rank, 1) - 1);
}

/** The record whose `measure` is the median (of an even number, the lower one): its parts belong together. */
export function medianRecord<T>(records: readonly T[], measure: (record: T) => number): T {
  const sorted = [...records].sort((one, other) => measure(one) - measure(other));
  return at(sorted, Math.ceil(sorted.length / 2) - 1);
}

function sortedNumbers(values: readonly number[]): readonly number[] {
  return [...values].sort((one, other) => one - other);
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) {
    throw new RangeError('expected at least one measurement, found none');
  }
  return value;
}
