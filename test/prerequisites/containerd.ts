import { join } from 'node:path';
import { type Artefact, artefactFolder } from './cache.ts';
import { copyModule, type GoModule, goBuild, goStep } from './go.ts';
import { debianPackages } from './packages.ts';
import type { Step } from './steps.ts';

const containerd: GoModule = { path: 'github.com/containerd/containerd/v2', version: 'v2.1.4' };
const programs = ['containerd', 'containerd-shim-runc-v2', 'ctr'] as const;

/** containerd from the Go module proxy (the kubelet of today needs version 2), and what it starts, from Debian. */
export const containerdSteps: readonly Step[] = [
  debianPackages('packages of the container runtime', ['runc', 'containernetworking-plugins', 'busybox-static']),
  goStep('containerd', artefact),
];

/** The folder with the programs that `containerdSteps` made: containerd looks for its shim in PATH. */
export function containerdFolder(): string {
  return artefactFolder(artefact(() => {}));
}

/** Where Debian has the plugins of CNI. */
export const cniFolder = '/usr/lib/cni';

function artefact(report: (line: string) => void): Artefact {
  return {
    name: 'containerd',
    inputs: [containerd.path, containerd.version, ...programs],
    make: async (folder, scratch) => {
      await copyModule(containerd, scratch);
      // Snapshotters that need headers of C libraries.
      const tags = ['no_btrfs', 'no_devmapper', 'no_zfs'];
      for (const name of programs) {
        await goBuild({ package: `./cmd/${name}`, output: join(folder, name), scratch, variables: {}, tags }, report);
      }
    },
  };
}
