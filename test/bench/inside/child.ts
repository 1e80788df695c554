/** How the programs of the benchmark call each other: one JSON argument, one line with JSON on standard output. */

import { execa } from 'execa';
import { namespaceCommand } from './network-namespace.ts';

/** The argument of this process. The caller is `runProgram`, which is typed at the other end. */
// The parameter lets a program name the type of its argument where it reads it.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function readArgument<T>(): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(process.argv[2] ?? 'null') as T;
}

/** Begins the line: V8 writes what it is asked to trace to standard output too, to the very end of the process. */
const mark = 'answer: ';

/** Answers `runProgram`. */
export function tell(answer: unknown): void {
  process.stdout.write(`${mark}${JSON.stringify(answer)}\n`);
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

/** What `tell` wrote. Throws when there is none. */
// As with `readArgument`.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function readAnswer<Answer>(stdout: string): Answer {
  const lines = stdout.trimEnd().split('\n');
  const answer = lines.findLast((line) => line.startsWith(mark));
  if (answer === undefined) {
    throw new Error(`expected an answer of the program, found ${JSON.stringify(lines.at(-1))}`);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(answer.slice(mark.length)) as Answer;
}

/** Programs lie beside each other in the bundle. */
export function programPath(program: string, ending = '.mjs'): string {
  return new URL(`./${program}${ending}`, import.meta.url).pathname;
}
