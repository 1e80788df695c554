/** Refusals that a test asks a fake for. */

import { errno, KernelError } from '../error.ts';
import type { ApplyResult } from '../ports.ts';

/** Refusals waiting for an operation that they match. */
export interface Faults<Operation> {
  /** The next operation that `matches` fails with `code` and does nothing. */
  readonly failNext: (matches: (operation: Operation) => boolean, code: keyof typeof errno) => void;
  /** The errno that this operation must fail with, else what `carryOut` answers. */
  readonly refusal: (operation: Operation, carryOut: () => number) => number;
}

/** What a port brings back when every answer to these operations is lost. */
export function repliesLost(operations: readonly unknown[]): ApplyResult {
  const error = new KernelError('netlink batch', errno.ENOBUFS);
  return { failures: operations.map((_, index) => ({ index, error })), unknown: true };
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
