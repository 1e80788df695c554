import type { PassSpans } from './state.ts';

export interface Stopwatch {
  /** Books the time since the last lap, or the start, on a span. */
  lap(span: keyof PassSpans): void;
  /** Milliseconds from the start to the last lap: reading the clock is a system call on some machines. */
  totalMs(): number;
  readonly spans: PassSpans;
}

/** Runs on `now`, in milliseconds. */
export function startStopwatch(now: () => number): Stopwatch {
  const began = now();
  const spans = { readMs: 0, compileMs: 0, planMs: 0, executeMs: 0 };
  let last = began;
  return {
    spans,
    lap: (span) => {
      const at = now();
      spans[span] += at - last;
      last = at;
    },
    totalMs: () => last - began,
  };
}
