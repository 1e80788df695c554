import packageJson from '../../package.json' with { type: 'json' };
import type { Application } from '../../src/cli/application.ts';
import { runCommandLine } from '../../src/cli/command-line.ts';
import type { Output } from '../../src/cli/environment.ts';
import { noFile } from './no-file.ts';

/** `sluice manifest` with these flags. */
export async function manifestCommand(
  ...flags: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
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
      readText: noFile,
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
