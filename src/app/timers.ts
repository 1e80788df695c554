/** One timer of each name. Set again it only ever comes sooner, so that a stream of events cannot put it off. */
export interface Timers<Name extends string> {
  set(name: Name, delayMs: number, action: () => void): void;
  has(name: Name): boolean;
  clear(name: Name): void;
  /** None can be set any more. */
  stop(): void;
}

export function createTimers<Name extends string>(): Timers<Name> {
  const pending = new Map<Name, { readonly due: number; readonly timer: NodeJS.Timeout }>();
  let isStopped = false;
  const clear = (name: Name): void => {
    clearTimeout(pending.get(name)?.timer);
    pending.delete(name);
  };
  return {
    set: (name, delayMs, action) => {
      const due = performance.now() + delayMs;
      const before = pending.get(name);
      if (isStopped || (before !== undefined && before.due <= due)) {
        return;
      }
      clearTimeout(before?.timer);
      const run = (): void => {
        pending.delete(name);
        action();
      };
      pending.set(name, { due, timer: setTimeout(run, delayMs) });
    },
    has: (name) => pending.has(name),
    clear,
    stop: () => {
      isStopped = true;
      [...pending.keys()].forEach(clear);
    },
  };
}
