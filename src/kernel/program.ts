/** Programs that must do what netlink cannot. */

import { execa } from 'execa';

/** A program is missing, or refused what it was to do. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly code: 'program-missing' | 'program-refused';

  constructor(code: ProgramError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface ProgramOptions {
  /** What it reads. */
  readonly input?: string;
  /** The path of a namespace, for tests. */
  readonly networkNamespace?: string | undefined;
}

/** What it writes. `need` is said where it is missing: what it is needed for, and what to do. Rejects with ProgramError. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { need, ...options }: ProgramOptions & { readonly need?: string } = {},
): Promise<string> {
  const outcome = await programOutcome(program, args, options);
  switch (outcome.kind) {
    case 'done':
      return outcome.written;
    case 'missing': {
      const found = `expected the program ${outcome.file}, found none`;
      const message = need === undefined ? found : `${found}; ${need}`;
      throw new ProgramError('program-missing', message, { cause: outcome.cause });
    }
    case 'refused': {
      const message = `${[program, ...args].join(' ')} failed: ${outcome.said}`;
      throw new ProgramError('program-refused', message, { cause: outcome.cause });
    }
  }
}

export type ProgramOutcome =
  | { readonly kind: 'done'; readonly written: string }
  /** `file` is what was looked for in PATH. */
  | { readonly kind: 'missing'; readonly file: string; readonly cause: unknown }
  | { readonly kind: 'refused'; readonly said: string; readonly cause: unknown };

/** For those with words of their own for what went wrong. */
export async function programOutcome(
  program: string,
  args: readonly string[],
  { input = '', networkNamespace }: ProgramOptions = {},
): Promise<ProgramOutcome> {
  const [file, words] =
    networkNamespace === undefined ? [program, args] : ['nsenter', [`--net=${networkNamespace}`, program, ...args]];
  const result = await execa(file, words, { input, reject: false, stripFinalNewline: false });
  if (!result.failed) return { kind: 'done', written: result.stdout };
  if (result.code === 'ENOENT') return { kind: 'missing', file, cause: result };
  const said = result.stderr === '' ? (result.shortMessage ?? '') : result.stderr.trim();
  return { kind: 'refused', said, cause: result };
}
