/** What the loop knows between passes. */

import type { LoopInput } from './loop-input.ts';
import { createTimers, type Timers } from './timers.ts';

type TimerName = 'patience' | 'audit' | 'retry' | 'drain' | 'begin';

export interface LoopState {
  readonly input: LoopInput;
  readonly timers: Timers<TimerName>;
  phase: 'waiting' | 'beginning' | 'starting' | 'running' | 'stopped';
  /** What waits for the end of a pass in steps. */
  readonly deferred: (() => void)[];
  isAuditing: boolean;
  /** Another audit was due before the last one was over. */
  auditsAgain: boolean;
  /** Failed attempts in a row, for the back-off. */
  attempts: number;
  /** The table is there, where it needs no list to be. */
  prepared: Promise<void>;
  lookAfterDrains: () => void;
  stopWatching: () => void;
}

export function initialState(input: LoopInput): LoopState {
  return {
    input,
    timers: createTimers(),
    phase: 'waiting',
    attempts: 0,
    deferred: [],
    isAuditing: false,
    auditsAgain: false,
    prepared: Promise.resolve(),
    lookAfterDrains: () => {},
    stopWatching: () => {},
  };
}

/** No pass in steps goes on that takes no others beside it. */
export function isFree({ phase, input }: LoopState): boolean {
  return phase === 'running' && !input.reconciler.view.isExclusive;
}

/** It may have been stopped at every `await`. */
export function isStopped({ phase }: LoopState): boolean {
  return phase === 'stopped';
}

/** Milliseconds until what failed is tried again. */
export function delayOf(loop: LoopState): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** loop.attempts);
}

export const firstRetryMs = 500;
const longestRetryMs = 30_000;
