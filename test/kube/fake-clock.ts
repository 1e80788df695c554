import type { Clock } from '../../src/kube/clock.ts';

export interface FakeClock extends Clock {
  /** Lets time pass; timers that fall due run in order, each at its own moment. */
  advance(ms: number): void;
}

export function createFakeClock(): FakeClock {
  let now = 0;
  const timers = new Map<object, { readonly due: number; readonly action: () => void }>();
  return {
    now: () => now,
    after: (delayMs, action) => {
      const id = {};
      timers.set(id, { due: now + delayMs, action });
      return () => timers.delete(id);
    },
    advance: (ms) => {
      const end = now + ms;
      for (;;) {
        const [next] = [...timers]
          .filter(([, { due }]) => due <= end)
          .sort(([, one], [, other]) => one.due - other.due);
        if (next === undefined) {
          break;
        }
        const [id, { due, action }] = next;
        timers.delete(id);
        now = due;
        action();
      }
      now = end;
    },
  };
}
