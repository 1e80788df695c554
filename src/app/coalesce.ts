/** Holds batches back, so that some time lies between the end of one delivery and the start of the next. */
export function coalesce<Item>(
  deliver: (batch: readonly Item[]) => void,
  restMs: number,
): (batch: readonly Item[]) => void {
  let held: Item[] = [];
  let restsUntil = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const release = (): void => {
    const batch = held;
    held = [];
    timer = undefined;
    deliver(batch);
    restsUntil = performance.now() + restMs;
  };
  return (batch) => {
    if (restMs === 0) {
      deliver(batch);
      return;
    }
    for (const item of batch) {
      held.push(item);
    }
    const waitMs = restsUntil - performance.now();
    if (waitMs <= 0 && timer === undefined) {
      release();
    } else {
      // What is still held back when the agent stops is read again at the next start.
      timer ??= setTimeout(release, waitMs).unref();
    }
  };
}
