import { kernelPath, kernelStep } from '../prerequisites/kernel.ts';
import { packagesStep } from '../prerequisites/packages.ts';
import { runSteps, type Step } from '../prerequisites/steps.ts';
import type { LabCommand, LabOptions } from './machine/command.ts';
import { isHostKernelUsable, runInHostNamespaces } from './machine/host-namespaces.ts';
import { runUnderUserModeLinux } from './machine/user-mode-linux.ts';

/** What every run in the lab needs, in order. The kernel only where the host's own does not do. */
export function labSteps(hostKernel: boolean): readonly Step[] {
  return hostKernel ? [packagesStep] : [packagesStep, kernelStep];
}

/** Runs a command under a kernel with IPVS and returns its exit status. Prepares what is missing first. */
export async function runInLab(command: LabCommand, options: LabOptions): Promise<number> {
  const hostKernel = await isHostKernelUsable();
  await runSteps(labSteps(hostKernel));
  return hostKernel
    ? runInHostNamespaces(command, options)
    : runUnderUserModeLinux(await kernelPath(), command, options);
}
