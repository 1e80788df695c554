import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheRoot } from '../../prerequisites/cache.ts';
import { takeFirstFree } from '../../prerequisites/lock.ts';
import { commandScript, type LabCommand, type LabOptions } from './command.ts';

const init = fileURLToPath(new URL('./init.sh', import.meta.url));

/** Where in the shared folder a kernel speaks that cannot speak to standard error. */
export const consoleFile = 'console';

/** What a kernel is started for. */
export interface Machine {
  /** The folder of the host that the machine shares: `init.sh`, `command.sh`, `cover` and, afterwards, `status`. */
  readonly folder: string;
  readonly interactive: boolean;
  readonly core: number;
  readonly options: LabOptions;
}

/**
 * Runs the command on a machine of its own and returns its exit status. The machine sees the host's files but cannot
 * change them. `start` starts its kernel, with `init.sh` as the first process; standard error is diagnostics.
 */
export async function runOnMachine(
  command: LabCommand,
  options: LabOptions,
  start: (machine: Machine) => ChildProcess,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-lab-'));
  const core = await takeCore();
  try {
    await mkdir(join(folder, 'cover'));
    await mkdir(join(folder, 'results'));
    options.onStart?.(join(folder, 'results'));
    await copyFile(init, join(folder, 'init.sh'));
    await chmod(join(folder, 'init.sh'), 0o755);
    await writeFile(join(folder, 'command.sh'), commandScript(command, '/out/results'));
    const interactive = process.stdin.isTTY && process.stdout.isTTY && options.onOutput === undefined;
    const machine = start({ folder, interactive, core: core.number, options });
    machine.stdout?.on('data', (chunk: Buffer) => options.onOutput?.(chunk));
    const ended = await supervise(machine, options.timeLimitSeconds);
    if (options.results !== undefined) await cp(join(folder, 'results'), options.results, { recursive: true });
    return await readStatus(folder, ended);
  } finally {
    core.release();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What `init.sh` is told on the kernel's command line. */
export function labParameters(
  { folder, interactive }: Machine,
  kernel: { readonly tty: string; readonly share: 'hostfs' | '9p'; readonly modules: string },
): readonly string[] {
  return [
    `lab_folder=${folder}`,
    `lab_console=${interactive ? 'interactive' : 'stream'}`,
    `lab_tty=${kernel.tty}`,
    `lab_share=${kernel.share}`,
    `lab_modules=${kernel.modules}`,
  ];
}

/** The first core that no other machine runs on; when all are taken, any. */
async function takeCore(): Promise<{ readonly number: number; readonly release: () => void }> {
  const cores = allowedCores();
  const locks = cores.map((core) => join(cacheRoot(), `core-${core}.lock`));
  const taken = await takeFirstFree(locks);
  const index = taken?.index ?? process.pid % cores.length;
  return { number: cores[index] ?? 0, release: taken?.release ?? (() => {}) };
}

function allowedCores(): readonly number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

type Ended =
  | { readonly kind: 'powered-off'; readonly diagnostics: string }
  | { readonly kind: 'time-limit'; readonly seconds: number };

async function supervise(machine: ChildProcess, timeLimitSeconds: number): Promise<Ended> {
  // User-mode Linux tells about its start here; only worth reading when the machine dies.
  let diagnostics = '';
  machine.stderr?.on('data', (chunk: Buffer) => {
    diagnostics = (diagnostics + chunk.toString()).slice(-8192);
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    end(machine);
  }, timeLimitSeconds * 1000);
  const forward = () => end(machine);
  process.on('SIGTERM', forward).on('SIGINT', forward).on('SIGHUP', forward);
  await once(machine, 'close');
  clearTimeout(timer);
  process.off('SIGTERM', forward).off('SIGINT', forward).off('SIGHUP', forward);
  return timedOut ? { kind: 'time-limit', seconds: timeLimitSeconds } : { kind: 'powered-off', diagnostics };
}

function end(machine: ChildProcess): void {
  if (machine.pid === undefined) return;
  try {
    // The processes of the machine are children of the kernel's; they are in its process group.
    process.kill(-machine.pid, 'SIGKILL');
  } catch {
    machine.kill('SIGKILL');
  }
}

async function readStatus(folder: string, ended: Ended): Promise<number> {
  if (ended.kind === 'time-limit') {
    console.error(`lab: ended after its time limit of ${ended.seconds} s`);
    return 124;
  }
  const status = await readFile(join(folder, 'status'), 'utf8').catch(() => '');
  if (/^\d+\n$/.test(status)) return Number(status);
  const said = await readFile(join(folder, consoleFile), 'utf8').catch(() => '');
  console.error(
    `lab: the machine stopped without an exit status (a kernel panic, or memory ran out)\n${ended.diagnostics}${said.slice(-8192)}`,
  );
  return 125;
}
