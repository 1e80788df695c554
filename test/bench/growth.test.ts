import { describe, expect, it } from 'vitest';
import { fitExponent } from './growth.ts';

describe('the exponent of growth', () => {
  const through = (exponent: number, ...sizes: readonly number[]) => sizes.map((x) => ({ x, y: 3 * x ** exponent }));

  it('is that of the power that the points lie on', () => {
    expect(fitExponent(through(1, 100, 1_000, 10_000))).toBeCloseTo(1);
    expect(fitExponent(through(0.5, 20, 200))).toBeCloseTo(0.5);
    expect(fitExponent(through(0, 100, 10_000))).toBeCloseTo(0);
  });

  it('lies between those of the parts where the points lie on no power', () => {
    const [first, middle, last] = [
      { x: 100, y: 1 },
      { x: 1_000, y: 1 },
      { x: 10_000, y: 10 },
    ];
    expect(fitExponent([first, middle, last])).toBeCloseTo(0.5);
  });

  it('needs two sizes that were not given up', () => {
    expect(fitExponent([])).toBeUndefined();
    expect(fitExponent(through(1, 100))).toBeUndefined();
    expect(
      fitExponent([
        { x: 100, y: 1 },
        { x: 10_000, y: 20, isBound: true },
      ]),
    ).toBeUndefined();
  });
});
