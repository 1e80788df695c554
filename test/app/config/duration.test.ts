import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/app/config/duration.ts';

describe('a duration', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['30s', 30_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1.s', 1_000],
    ['250ms', 250],
    ['1h2m3s4ms', 3_723_004],
    ['1000us', 1],
    ['1000µs', 1],
    ['1000000ns', 1],
  ])('%s is read as Go reads it', (text, expected) => {
    expect(parseDuration(text)).toBeCloseTo(expected, 9);
  });

  it.each(['', '30', 's', '.s', '1d', '-1s', '1s ', '1..5s', '1m30', 'NaNs', '9'.repeat(400).concat('h')])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it('is read back as it is shown', () => {
    const anyDuration = fc.integer({ min: 0, max: 1_000_000_000 });
    fc.assert(fc.property(anyDuration, (durationMs) => parseDuration(formatDuration(durationMs)) === durationMs));
  });

  it('is shown in its shortest form', () => {
    expect([0, 250, 1_500, 30_000, 90_000, 3_600_000].map(formatDuration)).toEqual([
      '0s',
      '250ms',
      '1.5s',
      '30s',
      '1m30s',
      '1h',
    ]);
  });
});
