import { existsSync } from 'node:fs';
import { release } from 'node:os';

/** What helps where the running kernel lacks a module. A module is searched for in /lib/modules by the kernel's release. */
export function moduleAdvice(module: string, folder = '/lib/modules'): string {
  const place = `${folder}/${release()}`;
  return existsSync(place)
    ? `run modprobe ${module} on this node; if it finds no such module in ${place}, install the package that has the other modules of this kernel, or take a kernel that has it`
    : `${place} is not here: run modprobe ${module} on the node itself, or mount the node's ${folder} and run sluice run --init-only with all privileges`;
}
