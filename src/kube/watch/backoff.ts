/** How long to wait before the next attempt. */

import type { SourceFailureCode } from '../source.ts';

export interface Attempts {
  /** Failures in a row, this one included. */
  readonly failures: number;
  readonly random: () => number;
}

/** After this long without trouble the count of failures starts anew. */
export const healthyMs = 120_000;

/** 0.8 s, doubled up to 30 s, full jitter: thousands of nodes must not come back in step. */
function backoffMs({ failures, random }: Attempts): number {
  return random() * Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 16));
}

/** A permission, or a newer API server, comes, if at all, by a person's hand. Close to the longest delay, and never in step either. */
function forbiddenMs(random: () => number): number {
  return longestMs * (0.75 + random() / 2);
}

/** The server's own wish counts where it is longer, up to five minutes. */
export function retryDelayMs(code: SourceFailureCode, attempts: Attempts, retryAfterMs: number | undefined): number {
  const own = code === 'forbidden' || code === 'missing' ? forbiddenMs(attempts.random) : backoffMs(attempts);
  return Math.max(own, Math.min(retryAfterMs ?? 0, longestRetryAfterMs));
}

const firstMs = 800;
const longestMs = 30_000;
const longestRetryAfterMs = 300_000;
