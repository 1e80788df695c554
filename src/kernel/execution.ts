/** What carrying out a plan has come to. */

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
  readonly performed: readonly Operation[];
  readonly failed: readonly FailedOperation[];
  /** Not attempted because something they rest on failed. */
  readonly withheld: readonly Operation[];
  /** Replies were lost or the kernel contradicts what was believed: read everything again. */
  readonly isUncertain: boolean;
}

/** One that goes on. */
export interface Run extends Execution {
  readonly performed: Operation[];
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

export function emptyRun(): Run {
  return {
    performed: [],
    failed: [],
    withheld: [],
    isUncertain: false,
    unguarded: new Set(),
    unmade: new Set(),
    blind: false,
    remaining: new Set(),
  };
}
