import { createWriteStream } from 'node:fs';
import { execa } from 'execa';
import { UnmetPrerequisiteError } from './unmet.ts';

/** Where a command runs and who hears of it. */
export interface RunLoggedOptions {
  readonly cwd: string;
  readonly log: string;
  readonly report: (line: string) => void;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a long command; its output goes to a file and line by line to `report`. Throws with the last lines. */
export async function runLogged(command: readonly string[], options: RunLoggedOptions): Promise<void> {
  const [file = '', ...args] = command;
  const child = execa(file, args, {
    cwd: options.cwd,
    all: true,
    buffer: false,
    reject: false,
    env: options.env ?? {},
  });
  const log = createWriteStream(options.log, { flags: 'a' });
  const last: string[] = [];
  for await (const line of child.iterable({ from: 'all' })) {
    log.write(`${line}\n`);
    last.push(line);
    if (last.length > 20) last.shift();
    options.report(line.trim());
  }
  log.end();
  const { failed, shortMessage } = await child;
  if (!failed) return;
  throw new UnmetPrerequisiteError({
    expected: `"${command.join(' ')}" to succeed in ${options.cwd}`,
    found: `${shortMessage} and, at the end of its output:\n${last.join('\n')}\n`,
    next: 'Correct what it complains about and run again.',
  });
}
