/** Durations as Go's time.ParseDuration reads them: `30s`, `1m30s`, `1.5h`, `250ms`, `0`. */

const unitMs: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** Milliseconds, or undefined when the text is no duration. Negative durations are none here. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') {
    return 0;
  }
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.test(text)) {
    return undefined;
  }
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)([a-zµ]+)/g)) {
    total += Number(amount) * (unitMs.get(unit ?? '') ?? Number.NaN);
  }
  return Number.isFinite(total) ? total : undefined;
}

/** The shortest form of a duration in milliseconds: `90000` is `1m30s`. */
export function formatDuration(durationMs: number): string {
  const hours = Math.floor(durationMs / 3_600_000);
  const minutes = Math.floor((durationMs % 3_600_000) / 60_000);
  const restMs = durationMs % 60_000;
  const parts = [
    hours > 0 ? `${hours}h` : '',
    minutes > 0 ? `${minutes}m` : '',
    restMs >= 1_000 || durationMs === 0 ? `${restMs / 1_000}s` : '',
    restMs > 0 && restMs < 1_000 ? `${restMs}ms` : '',
  ];
  return parts.join('');
}
