import type { PassSpans } from './state.ts';

export interface Stopwatch {
  /** Books the time since the last lap, or the start, on a span. */
  lap(span: keyof PassSpans): void;
  /** The last lap. Returns the milliseconds since the start. */
  end(span: keyof PassSpans): number;
  /** Undefined when only the whole is taken. */
  readonly spans: PassSpans | undefined;
}

/** Runs on `now`, in milliseconds. */
export function startStopwatch(now: () => number): Stopwatch {
  const began = now();
  const spans = { readMs: 0, compileMs: 0, planMs: 0, executeMs: 0 };
  let last = began;
  const lap = (span: keyof PassSpans): void => {
    const at = now();
    spans[span] += at - last;
    last = at;
  };
  return {
    spans,
    lap,
    end: (span) => {
      lap(span);
      return last - began;
    },
  };
}

/** Takes the whole alone: reading the clock is a system call on some machines, and as dear as a part of a small pass. */
export function startTimer(now: () => number): Stopwatch {
  const began = now();
  return { spans: undefined, lap: () => {}, end: () => now() - began };
}
