import type { Point } from './plot/chart.ts';
import { chartsOf } from './plot/charts.ts';
import type { BenchResult } from './result.ts';

export interface Growth {
  /** What was measured, and of what. */
  readonly measure: string;
  readonly series: string;
  readonly from: number;
  readonly to: number;
  /** The `e` in value = c × Services ^ e: 0 does not grow, 1 grows with the number of Services. */
  readonly exponent: number;
}

/** Of everything that was measured with different numbers of Services. */
export function growthsOf(result: BenchResult): readonly Growth[] {
  return chartsOf(result).flatMap(({ title, series }) =>
    series.flatMap(({ name, points }) => {
      const exponent = fitExponent(points);
      const numbers = points.map(({ x }) => x);
      return exponent === undefined
        ? []
        : [{ measure: title, series: name, from: Math.min(...numbers), to: Math.max(...numbers), exponent }];
    }),
  );
}

/** The least squares of the logarithms. Undefined with less than two sizes; what was given up has no value. */
export function fitExponent(points: readonly Point[]): number | undefined {
  const known = points.filter(({ isBound }) => isBound !== true);
  const logs = known.map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }));
  const meanX = mean(logs.map(({ x }) => x));
  const meanY = mean(logs.map(({ y }) => y));
  const spread = logs.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  const together = logs.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  return spread > 0 ? together / spread : undefined;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
