/** Kernel ports that write down what they are given and answer as they are told. */

import { resourceKeyOf } from '../../src/core/actual.ts';
import { destinationKey } from '../../src/core/keys.ts';
import type { Operation } from '../../src/core/model/operation.ts';
import { errno, KernelError } from '../../src/kernel/error.ts';
import type { KernelPorts } from '../../src/kernel/executor.ts';
import { repliesLost } from '../../src/kernel/fake/faults.ts';
import type { ApplyResult } from '../../src/kernel/ports.ts';

export interface ScriptedPorts extends KernelPorts {
  /** One line per operation, in the order of calls: `ipvs: add-destination TCP 10.96.0.1:80 10.1.0.1:8080`. */
  readonly lines: readonly string[];
  /** One list of lines per call. */
  readonly calls: readonly (readonly string[])[];
}

export interface Script {
  /** The errno by a part of the operation's line; each is used once. */
  readonly refuse?: Readonly<Record<string, keyof typeof errno>>;
  /** Replies are lost to the call with an operation of which the line has this part. */
  readonly lose?: string;
}

export function scriptedPorts(script: Script = {}): ScriptedPorts {
  const calls: string[][] = [];
  const refuse = new Map(Object.entries(script.refuse ?? {}));
  const apply = (port: string) => (operations: readonly Operation[]) => {
    const lines = operations.map((operation) => `${port}: ${lineOf(operation)}`);
    calls.push(lines);
    return answer(lines, refuse, script.lose);
  };
  const unused = (): never => {
    throw new Error('not scripted');
  };
  return {
    calls,
    get lines() {
      return calls.flat();
    },
    ipvs: {
      apply: apply('ipvs'),
      dump: unused,
      read: unused,
      dumpMarks: unused,
      dumpDestinations: unused,
      close: unused,
    },
    filter: {
      apply: apply('filter'),
      holds: unused,
      dump: unused,
      read: unused,
      ensureTable: unused,
      removeTable: unused,
      close: unused,
    },
    link: {
      apply: apply('link'),
      dumpVips: unused,
      readVips: unused,
      ensureInterface: unused,
      removeInterface: unused,
      nodeAddresses: unused,
      readNodeAddresses: unused,
      defaultSource: unused,
      sourceTowards: unused,
      interfaceTowards: unused,
      onAddressChange: unused,
      close: unused,
    },
  };
}

/** `add-destination TCP 10.96.0.1:80 10.1.0.1:8080 weight 1`. */
export function lineOf(operation: Operation): string {
  const destination =
    'destination' in operation
      ? ` ${destinationKey(operation.destination)} weight ${operation.destination.weight}`
      : '';
  return `${operation.kind} ${resourceKeyOf(operation)}${destination}`;
}

function answer(
  lines: readonly string[],
  refuse: Map<string, keyof typeof errno>,
  lose: string | undefined,
): ApplyResult {
  if (lose !== undefined && lines.some((line) => line.includes(lose))) {
    return repliesLost(lines);
  }
  const failures = lines.flatMap((line, index) => {
    const [part, code] = [...refuse].find(([each]) => line.includes(each)) ?? [];
    if (part === undefined || code === undefined) {
      return [];
    }
    refuse.delete(part);
    return [{ index, error: new KernelError(line, errno[code]) }];
  });
  return { failures, unknown: false };
}
