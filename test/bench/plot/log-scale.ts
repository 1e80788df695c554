export interface Scale {
  /** Where a value stands. */
  readonly place: (value: number) => number;
  /** Values for lines and labels, from the smallest on. */
  readonly ticks: readonly number[];
}

/** From the power of ten at or below all values to the one at or above them. Values are greater than 0. */
export function logScale(values: readonly number[], [from, to]: readonly [number, number]): Scale {
  const least = Math.floor(nearly(Math.log10(Math.min(...values))));
  const most = Math.max(least + 1, Math.ceil(nearly(Math.log10(Math.max(...values)))));
  return {
    place: (value) => from + ((Math.log10(value) - least) / (most - least)) * (to - from),
    ticks: Array.from({ length: most - least + 1 }, (_, index) => Number(`1e${least + index}`)),
  };
}

/** A power of ten counts as itself although its logarithm may not be exact. */
function nearly(exponent: number): number {
  return Math.abs(exponent - Math.round(exponent)) < 1e-9 ? Math.round(exponent) : exponent;
}
