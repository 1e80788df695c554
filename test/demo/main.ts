import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from '../build/build.ts';
import { labSteps, runInLab } from '../lab/run.ts';
import { runSteps } from '../prerequisites/steps.ts';
import { bundleDemo } from './bundle.ts';

const usage = `usage: npm run demo [-- --keep]

Shows the main job of sluice in a small world of its own: clients, two nodes, six pods, IPv4 and IPv6.
Needs nothing that is not on this machine, and changes nothing on it.

  --keep   leave the world up at the end, with a shell inside
`;

const root = fileURLToPath(new URL('../..', import.meta.url));

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: { keep: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const onTerminal = process.stdin.isTTY && process.stdout.isTTY;
  if (values.keep === true && !onTerminal) {
    process.stderr.write('--keep: expected a terminal for the shell, found none\n');
    return 2;
  }
  await runSteps(await labSteps());
  await build(() => {});
  return play(values.keep === true, onTerminal);
}

async function play(keeps: boolean, onTerminal: boolean): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
  try {
    const program = await bundleDemo(folder);
    return await runInLab(
      {
        file: process.execPath,
        args: [program, root, ...(keeps ? ['keep'] : [])],
        cwd: root,
        env: { SLUICE_DEMO_TERMINAL: onTerminal ? '1' : '0' },
      },
      // A run takes less than a minute; a person with a shell takes as long as they like.
      { memory: '2048M', timeLimitSeconds: keeps ? 86_400 : 300, results: undefined },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
