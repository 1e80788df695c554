import packageJson from '../../package.json' with { type: 'json' };
import type { Application } from '../../src/cli/application.ts';
import { runCommandLine } from '../../src/cli/command-line.ts';
import type { Output } from '../../src/cli/environment.ts';
import type { JsonObject } from '../../src/core/manifest/input.ts';
import { noFile } from './no-file.ts';

interface CommandOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `sluice manifest` with these flags. */
export function manifestCommand(...flags: readonly string[]): Promise<CommandOutcome> {
  return manifestCommandWith(noFile, flags);
}

/** The same where files are read by `readText`. */
export async function manifestCommandWith(
  readText: (path: string) => string,
  flags: readonly string[],
): Promise<CommandOutcome> {
  const text = { stdout: '', stderr: '' };
  const output = (name: 'stdout' | 'stderr'): Output => ({
    write: (part) => (text[name] += part),
    isTTY: false,
    columns: 80,
  });
  const code = await runCommandLine(
    {
      argv: ['manifest', ...flags],
      env: {},
      stdout: output('stdout'),
      stderr: output('stderr'),
      readText,
      stop: new AbortController().signal,
      processId: 1,
      readProcess: () => ({ residentBytes: 0, cpuSeconds: 0, startTimeSeconds: 0 }),
      version: packageJson.version,
    },
    // It asks nothing of the node.
    {} as Application,
  );
  return { code, ...text };
}

/** The objects that it prints, with examples for what is not given. */
export async function manifestObjects(...flags: readonly string[]): Promise<readonly JsonObject[]> {
  const { code, stdout, stderr } = await manifestCommand(...flags, '--output=json');
  if (code !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as { readonly items: readonly JsonObject[] }).items;
}
