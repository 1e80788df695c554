/** How the programs of the benchmark call each other: one JSON argument, one JSON line on standard output. */

import { execa } from 'execa';
import { namespaceCommand } from './network-namespace.ts';

/** The argument of this process. The caller is `runProgram`, which is typed at the other end. */
// The parameter lets a program name the type of its argument where it reads it.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function readArgument<T>(): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(process.argv[2] ?? 'null') as T;
}

/** Answers `runProgram`. */
export function tell(answer: unknown): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

/** How Node.js is to run a program of the bundle. */
export interface Program {
  readonly name: string;
  readonly options: readonly string[];
}

/** Runs a program in a network namespace and returns what it tells. Throws when it fails. */
export async function runProgram<Answer>(
  namespace: string,
  { name, options }: Program,
  input: unknown,
): Promise<Answer> {
  const [file, ...args] = namespaceCommand(namespace, [
    process.execPath,
    ...options,
    programPath(name),
    JSON.stringify(input),
  ]);
  const { stdout } = await execa(file, args, { stderr: 'inherit' });
  return readAnswer<Answer>(stdout);
}

/** What `tell` wrote: the last line. */
// As with `readArgument`.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function readAnswer<Answer>(stdout: string): Answer {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n') + 1)) as Answer;
}

/** Programs lie beside each other in the bundle. */
export function programPath(program: string, ending = '.mjs'): string {
  return new URL(`./${program}${ending}`, import.meta.url).pathname;
}
