/** What carrying out a plan has come to. */

import type { LongList } from '../core/large-list.ts';
import type { Operation } from '../core/model/operation.ts';
import type { KernelError } from './error.ts';
import type { Remedy } from './remedy.ts';

export interface FailedOperation {
  readonly operation: Operation;
  readonly error: KernelError;
  readonly remedy: Remedy;
}

export interface Execution {
  /** Operations now in force, in the order in which they were carried out. */
  readonly performed: LongList<Operation>;
  readonly failed: readonly FailedOperation[];
  /** Not attempted because something they rest on failed. */
  readonly withheld: readonly Operation[];
  /** Replies were lost or the kernel contradicts what was believed: read everything again. */
  readonly isUncertain: boolean;
}

/** Of a plan that was carried out at once. */
export interface SmallExecution extends Execution {
  readonly performed: readonly Operation[];
}

/** One that goes on. */
export interface Run extends Execution {
  readonly performed: LongList<Operation> & { push(operation: Operation): unknown };
  readonly failed: FailedOperation[];
  readonly withheld: Operation[];
  isUncertain: boolean;
  /** Keys of elements that were to be added and are not there. */
  readonly unguarded: Set<string>;
  /** Keys of virtual servers that were to be added and are not there: their destinations fail for that reason alone. */
  readonly unmade: Set<string>;
  /** It is not known which elements stand. */
  blind: boolean;
  /** Resource keys of VIPs and virtual servers that were to be removed and are still there, or may be. */
  readonly remaining: Set<string>;
}

export function emptyRun<Performed extends Run['performed']>(
  performed: Performed,
): Run & { readonly performed: Performed } {
  return {
    performed,
    failed: [],
    withheld: [],
    isUncertain: false,
    unguarded: new Set(),
    unmade: new Set(),
    blind: false,
    remaining: new Set(),
  };
}
