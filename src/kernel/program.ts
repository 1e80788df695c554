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
  /** Said where it is missing: what it is needed for, and what to do. */
  readonly need?: string;
  /** The path of a namespace, for tests. */
  readonly networkNamespace?: string | undefined;
}

/** What it writes. Rejects with ProgramError. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { input = '', need, networkNamespace }: ProgramOptions = {},
): Promise<string> {
  const [file, words] =
    networkNamespace === undefined ? [program, args] : ['nsenter', [`--net=${networkNamespace}`, program, ...args]];
  const result = await execa(file, words, { input, reject: false, stripFinalNewline: false });
  if (!result.failed) return result.stdout;
  if (result.code === 'ENOENT') {
    const found = `expected the program ${file}, found none`;
    throw new ProgramError('program-missing', need === undefined ? found : `${found}; ${need}`, { cause: result });
  }
  const said = result.stderr === '' ? result.shortMessage : result.stderr.trim();
  throw new ProgramError('program-refused', `${[program, ...args].join(' ')} failed: ${said}`, { cause: result });
}
