import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { LabCommand, LabOptions } from './command.ts';
import { consoleFile, labParameters, type Machine, runOnMachine } from './machine.ts';

/** What an emulated machine boots. */
export interface EmulatedKernel {
  readonly kernel: string;
  readonly initialRam: string;
  readonly modules: string;
}

/**
 * Runs the command on a machine that QEMU emulates (TCG, no hardware virtualisation) and returns its exit status. All is
 * about ten times slower than on hardware, the kernel like programs: their ratio is that of hardware.
 */
export function runInEmulator(kernel: EmulatedKernel, command: LabCommand, options: LabOptions): Promise<number> {
  return runOnMachine(command, options, (machine) => start(kernel, machine));
}

function start({ kernel, initialRam, modules }: EmulatedKernel, machine: Machine): ChildProcess {
  const parameters = [
    // What the kernel says is shown only when the machine dies.
    'console=ttyS1 quiet loglevel=1 panic=-1',
    // Nothing to mitigate on an emulated processor. Its time stamp counter does not stop.
    'mitigations=off tsc=reliable',
    ...labParameters(machine, { tty: '/dev/ttyS0', share: '9p', modules }),
  ];
  const { onOutput, memory } = machine.options;
  const qemu = [
    ['qemu-system-x86_64', '-nodefaults', '-no-user-config', '-no-reboot'],
    ['-accel', 'tcg', '-cpu', 'max', '-smp', '1', '-m', memory],
    ['-display', 'none', '-serial', 'stdio', '-serial', `file:${join(machine.folder, consoleFile)}`],
    ['-kernel', kernel, '-initrd', initialRam, '-append', parameters.join(' ')],
    ['-virtfs', 'local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap'],
    ['-virtfs', `local,path=${machine.folder},mount_tag=lab,security_model=none,multidevs=remap`],
  ].flat();
  return spawn('taskset', ['--cpu-list', `${machine.core}`, ...qemu], {
    stdio: [machine.interactive ? 'inherit' : 'ignore', onOutput === undefined ? 'inherit' : 'pipe', 'pipe'],
    detached: !machine.interactive,
  });
}
