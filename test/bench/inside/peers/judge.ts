/** The other side of test/bench/judge: asks it when the kernel of a node has something. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Family } from '../../../../src/core/model/facts.ts';
import { inNamespace } from '../../../lab/execute.ts';
import type { Timed } from '../../result.ts';
import { programPath } from '../child.ts';

/** Where a proxy writes what it programs. */
export type Programs = 'ipvs' | 'nftables';

/** What a judge is to look at. */
export interface Judged {
  readonly namespace: string;
  readonly programs: Programs;
  readonly family: Family;
}

export interface Judge {
  /** The leaves of the routing tables now. */
  leaves(): Promise<number>;
  /**
   * Asks until it is so, acts once the judge waits, and returns the milliseconds from the act to what the judge saw.
   * Throws when it was so before the act.
   */
  time<Result>(question: string, limitMs: number, act: () => Result | Promise<Result>): Promise<Answer<Result>>;
  close(): void;
}

export interface Answer<Result> {
  readonly took: Timed;
  /** What the act returned, and how long it took itself. */
  readonly result: Result;
  readonly actMs: number;
}

/** `program` is where the judge was compiled to. */
export function openJudge({ namespace, programs, family }: Judged, program = programPath('judge', '')): Judge {
  const [file = '', ...args] = inNamespace(namespace, [program, programs, family]);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = readAnswers(child);
  const ask = async (question: string): Promise<string> => {
    child.stdin?.write(`${question}\n`);
    return answers();
  };
  return {
    leaves: async () => Number(await ask('leaves')),
    time: async (question, limitMs, act) => {
      const first = await ask(`${question} ${limitMs}`);
      if (first !== 'waiting') {
        throw new Error(`expected "${question}" not to be so yet, the judge says ${first}`);
      }
      const began = process.hrtime.bigint();
      const result = await act();
      const actMs = Number(process.hrtime.bigint() - began) / 1e6;
      const seen = await answers();
      // The judge reads the same clock, CLOCK_MONOTONIC.
      const took = seen === 'late' ? { notWithinMs: limitMs } : { ms: Number(BigInt(seen) - began) / 1e6 };
      return { took, result, actMs };
    },
    close: () => child.stdin?.end(),
  };
}

/** Its next line; throws when it has ended. */
function readAnswers(child: ChildProcess): () => Promise<string> {
  if (child.stdout === null) {
    throw new Error('expected the judge to have a standard output');
  }
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await lines.next();
    if (done === true) {
      throw new Error('expected an answer of the judge, it has ended');
    }
    return value;
  };
}
