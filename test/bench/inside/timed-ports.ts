import type { Steps } from '../../../src/core/steps.ts';
import type { KernelPorts } from '../../../src/kernel/executor.ts';
import type { ApplyResult } from '../../../src/kernel/ports.ts';

export interface AppliedTimes {
  readonly ipvs: Applied;
  readonly filter: Applied;
  readonly vips: Applied;
}

/** What `apply` of one port was given, how long it took in all, and how long it took to read through the port. */
export interface Applied {
  operations: number;
  ms: number;
  readMs: number;
  /** Milliseconds per operation, of each call of `apply`. */
  readonly paces: number[];
}

/** The same ports, with the time that each spends. */
export function timePorts(ports: KernelPorts): { readonly ports: KernelPorts; readonly times: AppliedTimes } {
  const times = { ipvs: nothing(), filter: nothing(), vips: nothing() };
  return {
    times,
    ports: {
      ipvs: {
        ...ports.ipvs,
        apply: timed(times.ipvs, (operations) => ports.ipvs.apply(operations)),
        read: (expected) => timedSteps(times.ipvs, ports.ipvs.read(expected)),
      },
      filter: {
        ...ports.filter,
        apply: timed(times.filter, (operations) => ports.filter.apply(operations)),
        read: (eachExpected) => timedSteps(times.filter, ports.filter.read(eachExpected)),
      },
      link: {
        ...ports.link,
        apply: timed(times.vips, (operations) => ports.link.apply(operations)),
        readVips: (eachExpected) => timedSteps(times.vips, ports.link.readVips(eachExpected)),
      },
    },
  };
}

function nothing(): Applied {
  return { operations: 0, ms: 0, readMs: 0, paces: [] };
}

function timed<T>(
  applied: Applied,
  apply: (operations: readonly T[]) => ApplyResult,
): (operations: readonly T[]) => ApplyResult {
  return (operations) => {
    const began = performance.now();
    const result = apply(operations);
    const took = performance.now() - began;
    applied.ms += took;
    applied.operations += operations.length;
    applied.paces.push(took / operations.length);
    return result;
  };
}

/** Without what is done between the steps. */
function* timedSteps<Value>(applied: Applied, steps: Steps<Value>): Steps<Value> {
  for (;;) {
    const began = performance.now();
    const step = steps.next();
    applied.readMs += performance.now() - began;
    if (step.done === true) return step.value;
    yield;
  }
}
