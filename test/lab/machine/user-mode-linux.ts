import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { chmod, copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheRoot } from '../../prerequisites/cache.ts';
import { takeFirstFree } from '../../prerequisites/lock.ts';
import { commandScript, type LabCommand, type LabOptions } from './command.ts';

const init = fileURLToPath(new URL('./init.sh', import.meta.url));

/**
 * Runs the command on a machine of its own, under the user-mode kernel, and returns its exit status. The machine sees
 * the host's files but cannot change them.
 */
export async function runUnderUserModeLinux(kernel: string, command: LabCommand, options: LabOptions): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-lab-'));
  const core = await takeCore();
  try {
    await mkdir(join(folder, 'cover'));
    await mkdir(join(folder, 'results'));
    await copyFile(init, join(folder, 'init.sh'));
    await chmod(join(folder, 'init.sh'), 0o755);
    await writeFile(join(folder, 'command.sh'), commandScript(command, '/out/results'));
    const interactive = process.stdin.isTTY && process.stdout.isTTY && options.onOutput === undefined;
    const machine = start(kernel, { folder, interactive, core: core.number, options });
    const ended = await supervise(machine, options.timeLimitSeconds);
    if (options.results !== undefined) await cp(join(folder, 'results'), options.results, { recursive: true });
    return await readStatus(folder, ended);
  } finally {
    core.release();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Machine {
  readonly folder: string;
  readonly interactive: boolean;
  readonly core: number;
  readonly options: LabOptions;
}

function start(kernel: string, machine: Machine): ChildProcess {
  const parameters = [
    `mem=${machine.options.memory}`,
    'rootfstype=hostfs root=/dev/root rw',
    `init=${machine.folder}/init.sh`,
    // The kernel speaks to our stderr, which is shown only when the machine dies; and only in an emergency, because
    // IPVS reports each refused connection as an error.
    'console=tty1 con1=null,fd:2 quiet loglevel=1 panic=-1',
    `con=null con0=${machine.interactive ? 'fd:0,fd:1' : 'null,fd:1'}`,
    `lab_folder=${machine.folder}`,
    `lab_console=${machine.interactive ? 'interactive' : 'stream'}`,
  ];
  // Unpinned, a machine jumps between the cores and is 40 % slower.
  const command = ['--cpu-list', `${machine.core}`, kernel, ...parameters.flatMap((each) => each.split(' '))];
  const { onOutput } = machine.options;
  const child = spawn('taskset', command, {
    stdio: [machine.interactive ? 'inherit' : 'ignore', onOutput === undefined ? 'inherit' : 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: memoryFolder() },
    // Its own process group, so that it can be ended with all its processes; a terminal's must stay in front.
    detached: !machine.interactive,
  });
  child.stdout?.on('data', (chunk: Buffer) => onOutput?.(chunk));
  return child;
}

/** Where user-mode Linux keeps the file that is its memory. */
function memoryFolder(): string {
  const shared = '/dev/shm';
  const wanted = 2 ** 30;
  const { bavail, bsize, type } = existsSync(shared) ? statfsSync(shared) : { bavail: 0, bsize: 0, type: 0 };
  const tmpfsMagic = 0x01021994;
  return type === tmpfsMagic && bavail * bsize >= wanted ? shared : tmpdir();
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
  console.error(
    `lab: the machine stopped without an exit status (a kernel panic, or memory ran out)\n${ended.diagnostics}`,
  );
  return 125;
}
