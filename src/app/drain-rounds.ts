/** Looks after draining destinations once a second, as long as there are any. */

import type { Reconciler } from './reconciler/reconciler.ts';
import type { PassOutcome } from './reconciler/state.ts';
import { nextTurn } from './slices.ts';
import type { Timers } from './timers.ts';

const periodMs = 1_000;

export interface DrainRoundsInput {
  readonly reconciler: Pick<Reconciler, 'drainPasses' | 'view'>;
  readonly timers: Timers<'drain'>;
  /** Does it at once, or as soon as passes may be made. */
  readonly whenFree: (action: () => void) => void;
  readonly isFree: () => boolean;
  readonly carryOut: (pass: () => PassOutcome | undefined) => void;
}

/** The function returned is called whenever there may be something that drains. */
export function createDrainRounds(input: DrainRoundsInput): () => void {
  const { reconciler, timers, whenFree } = input;
  let isOn = false;
  const later = (): void => {
    const { drains, lingering } = reconciler.view;
    // A round that is due comes sooner than a new one would: the clock need not be read to know.
    if ((drains.count > 0 || lingering.size > 0) && !isOn && !timers.has('drain')) {
      timers.set('drain', periodMs, () => whenFree(() => void begin()));
    }
  };
  const begin = async (): Promise<void> => {
    isOn = true;
    await round(input);
    isOn = false;
    later();
  };
  return later;
}

/** After a rollout thousands may drain: others have their turn between some of them and the next. */
async function round({ reconciler, carryOut, isFree }: DrainRoundsInput): Promise<void> {
  for (const pass of reconciler.drainPasses()) {
    carryOut(pass);
    await nextTurn();
    if (!isFree()) {
      return;
    }
  }
}
