import { KernelError } from './error.ts';

/** Turns what a file operation threw into a KernelError: Node gives the errno as a negative number. Anything else stays as it is. */
export function fileError(operation: string, thrown: unknown): unknown {
  if (typeof thrown !== 'object' || thrown === null || !('errno' in thrown)) return thrown;
  return typeof thrown.errno === 'number'
    ? new KernelError(operation, Math.abs(thrown.errno), { cause: thrown })
    : thrown;
}
