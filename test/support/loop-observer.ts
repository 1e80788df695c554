import type { LoopObserver } from '../../src/app/loop-input.ts';
import type { PassOutcome } from '../../src/app/reconciler/state.ts';

/** Keeps the passes and hears nothing else. */
export function keepingPasses(passes: PassOutcome[]): LoopObserver {
  return {
    started: () => {},
    received: () => {},
    taken: () => {},
    passed: (outcome) => passes.push(outcome),
    troubled: () => {},
    leftAlone: () => {},
  };
}
