import { kernelPath, kernelStep } from '../prerequisites/kernel.ts';
import { packagesStep } from '../prerequisites/packages.ts';
import { runSteps, type Step } from '../prerequisites/steps.ts';
import { trafficStep } from '../prerequisites/traffic.ts';
import type { LabCommand, LabOptions } from './machine/command.ts';
import { isHostKernelUsable, runInHostNamespaces } from './machine/host-namespaces.ts';
import { runUnderUserModeLinux } from './machine/user-mode-linux.ts';

/** What every run in the lab needs, in order. The kernel only where the host's own does not do. */
export async function labSteps(): Promise<readonly Step[]> {
  return (await isHostKernelUsable()) ? [packagesStep, trafficStep] : [packagesStep, kernelStep, trafficStep];
}

/** Runs a command under a kernel with IPVS and returns its exit status. Prepares what is missing first. */
export async function runInLab(command: LabCommand, options: LabOptions): Promise<number> {
  await runSteps(await labSteps());
  return (await isHostKernelUsable())
    ? runInHostNamespaces(command, options)
    : runUnderUserModeLinux(await kernelPath(), command, options);
}
