/** Refusals that a test asks a fake for. */

import { errno } from '../errno.ts';

/** Refusals waiting for an operation that they match. */
export interface Faults<Operation> {
  /** The next operation that `matches` fails with `code` and does nothing. */
  readonly failNext: (matches: (operation: Operation) => boolean, code: keyof typeof errno) => void;
  /** The errno that this operation must fail with, else what `carryOut` answers. */
  readonly refusal: (operation: Operation, carryOut: () => number) => number;
}

export function createFaults<Operation>(): Faults<Operation> {
  const waiting: { readonly matches: (operation: Operation) => boolean; readonly code: keyof typeof errno }[] = [];
  return {
    failNext: (matches, code) => {
      waiting.push({ matches, code });
    },
    refusal: (operation, carryOut) => {
      const index = waiting.findIndex(({ matches }) => matches(operation));
      const [fault] = index < 0 ? [] : waiting.splice(index, 1);
      return fault === undefined ? carryOut() : errno[fault.code];
    },
  };
}
