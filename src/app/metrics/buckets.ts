/** `count` bounds, each `factor` times the one before. */
export function exponentialBuckets(first: number, factor: number, count: number): readonly number[] {
  // 0.001 × 2^n is computed as a whole each time, so that 1.024 is not 1.0240000000000002.
  return Array.from({ length: count }, (_, power) => Number((first * factor ** power).toPrecision(12)));
}

/** `count` bounds, each `step` above the one before. */
export function linearBuckets(first: number, step: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + step * index);
}
