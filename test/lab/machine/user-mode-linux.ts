import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { LabCommand, LabOptions } from './command.ts';
import { labParameters, type Machine, runOnMachine } from './machine.ts';

/**
 * Runs the command on a machine of its own, under the user-mode kernel, and returns its exit status. `parameters` are the
 * kernel's own, in addition.
 */
export function runUnderUserModeLinux(
  kernel: string,
  command: LabCommand,
  options: LabOptions,
  parameters: readonly string[] = [],
): Promise<number> {
  return runOnMachine(command, options, (machine) => start(kernel, machine, parameters));
}

function start(kernel: string, machine: Machine, additional: readonly string[]): ChildProcess {
  const parameters = [
    ...additional,
    `mem=${machine.options.memory}`,
    'rootfstype=hostfs root=/dev/root rw',
    `init=${machine.folder}/init.sh`,
    // The kernel speaks to our stderr, which is shown only when the machine dies; and only in an emergency, because
    // IPVS reports each refused connection as an error.
    'console=tty1 con1=null,fd:2 quiet loglevel=1 panic=-1',
    `con=null con0=${machine.interactive ? 'fd:0,fd:1' : 'null,fd:1'}`,
    ...labParameters(machine, { tty: '/dev/tty0', share: 'hostfs', modules: '' }),
  ];
  // Unpinned, a machine jumps between the cores and is 40 % slower.
  const command = ['--cpu-list', `${machine.core}`, kernel, ...parameters.flatMap((each) => each.split(' '))];
  const { onOutput } = machine.options;
  return spawn('taskset', command, {
    stdio: [machine.interactive ? 'inherit' : 'ignore', onOutput === undefined ? 'inherit' : 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: memoryFolder() },
    // Its own process group, so that it can be ended with all its processes; a terminal's must stay in front.
    detached: !machine.interactive,
  });
}

/** Where user-mode Linux keeps the file that is its memory. */
function memoryFolder(): string {
  const shared = '/dev/shm';
  const wanted = 2 ** 30;
  const { bavail, bsize, type } = existsSync(shared) ? statfsSync(shared) : { bavail: 0, bsize: 0, type: 0 };
  const tmpfsMagic = 0x01021994;
  return type === tmpfsMagic && bavail * bsize >= wanted ? shared : tmpdir();
}
