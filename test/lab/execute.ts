import { execFile } from 'node:child_process';

/** What a command of the system said. */
export interface Executed {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command in a network namespace ("-" is that of the tests); `input` becomes its standard input. nsenter, not
 * "ip netns exec", which would also mount /sys anew.
 */
export function execute(namespace: string, command: readonly string[], input = ''): Promise<Executed> {
  const [file = '', ...args] = inNamespace(namespace, command);
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { maxBuffer: 2 ** 30 }, (error, stdout, stderr) => {
      if (error === null) resolve({ status: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ status: error.code, stdout, stderr });
      else reject(new Error(`${command.join(' ')} could not run: ${error.message}`, { cause: error }));
    });
    // A command that does not read its input may be gone before we write.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** Runs a command and returns its output; throws with what it said when it fails. */
export async function output(namespace: string, command: readonly string[], input = ''): Promise<string> {
  const { status, stdout, stderr } = await execute(namespace, command, input);
  if (status === 0) return stdout;
  const place = namespace === '-' ? '' : ` in ${namespace}`;
  throw new Error(`"${command.join(' ')}"${place} ended with ${status}: ${stderr}${stdout}\n${input}`);
}

/** The command line that runs a command in a network namespace. */
export function inNamespace(namespace: string, command: readonly string[]): readonly string[] {
  return namespace === '-' ? command : ['nsenter', `--net=/run/netns/${namespace}`, ...command];
}
