/** Does what it is given in a turn of the event loop of its own, in order: between two of them all else has its turn. */
export function createTurns(): (action: () => void) => void {
  const waiting: (() => void)[] = [];
  let isExpected = false;
  const expect = (): void => {
    if (!isExpected && waiting.length > 0) {
      isExpected = true;
      setImmediate(next);
    }
  };
  const next = (): void => {
    isExpected = false;
    const action = waiting.shift();
    // Whatever it does, the others are not forgotten.
    expect();
    action?.();
  };
  return (action) => {
    waiting.push(action);
    expect();
  };
}
