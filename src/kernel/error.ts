import { type ErrnoCode, errnoCode } from './errno.ts';

export { type ErrnoCode, errno, errnoCode } from './errno.ts';

const brand: unique symbol = Symbol.for('sluice.KernelError');

/** What is known about a refusal beyond its errno. */
export interface KernelErrorOptions extends ErrorOptions {
  /** The text of the kernel's extended acknowledgement, where it gave one. */
  readonly extendedAck?: string | undefined;
}

/** The kernel refused an operation, or a system call failed. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  readonly [brand] = true;
  /** The positive errno value. */
  readonly errno: number;
  /** Its name, for example `EEXIST`. */
  readonly code: ErrnoCode;
  /** What was attempted, in words for people: `dump IPVS services`. */
  readonly operation: string;
  readonly extendedAck: string | undefined;

  constructor(operation: string, errnoValue: number, options: KernelErrorOptions = {}) {
    const code = errnoCode(errnoValue);
    const detail = options.extendedAck === undefined ? '' : ` (${options.extendedAck})`;
    super(`${operation}: ${code}${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.errno = errnoValue;
    this.code = code;
    this.operation = operation;
    this.extendedAck = options.extendedAck;
  }
}

/** Recognises a `KernelError`, also one that another copy of this module made. */
export function isKernelError(value: unknown): value is KernelError {
  return typeof value === 'object' && value !== null && brand in value;
}

/**
 * Turns what the native addon threw into a `KernelError` with the original as cause. Anything that is not an error of
 * a system call (a closed socket, a wrong argument: faults of the program) is returned as it is.
 */
export function toKernelError(operation: string, thrown: unknown): unknown {
  if (typeof thrown !== 'object' || thrown === null || !('errno' in thrown)) return thrown;
  if (isKernelError(thrown) || typeof thrown.errno !== 'number') return thrown;
  return new KernelError(operation, thrown.errno, { cause: thrown });
}
