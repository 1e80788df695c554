/** The programs in C that tell how fast this machine's kernel can be at all (test/bench/baseline). */

import { execa } from 'execa';
import type { Size } from '../result.ts';
import { programPath } from './child.ts';
import { namespaceCommand } from './network-namespace.ts';

/** What the programs print. */
interface BaselineRun {
  readonly ms: number;
  readonly services: number;
  readonly destinations: number;
}

/** The milliseconds that C takes to read the IPVS table, or to write what `ipvsadm -Sn` printed. */
export async function runBaseline(
  program: 'read-table' | 'write-table',
  namespace: string,
  size: Size,
  table = '',
): Promise<number> {
  const [file, ...args] = namespaceCommand(namespace, [programPath(program, '')]);
  const { stdout } = await execa(file, args, { input: table });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const run = JSON.parse(stdout) as BaselineRun;
  if (run.services !== size.services || run.destinations !== size.services * size.endpoints) {
    throw new Error(`expected ${program} to handle the whole table, found ${stdout}`);
  }
  return run.ms;
}
