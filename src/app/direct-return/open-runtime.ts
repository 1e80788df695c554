/** Opens the container runtime when the first pod is looked for, so that an agent that needs none never loads its client. */

import { existsSync } from 'node:fs';
import type { ContainerRuntimePort } from '../../cri/container-runtime.ts';
import { findRuntimeSocket } from '../../cri/runtime-endpoint.ts';
import { failure, type PodTunnelFailure } from './failure.ts';

export interface RuntimeOpener {
  readonly open: () => Promise<ContainerRuntimePort | PodTunnelFailure>;
  readonly close: () => void;
}

/** `socket` is a path; undefined: the first of those that runtimes use, looked for each time until there is one. */
export function runtimeOpener(socket: string | undefined, hostRoot: string): RuntimeOpener {
  let opened: Promise<ContainerRuntimePort> | undefined;
  const find = (): string | undefined => socket ?? findRuntimeSocket((path) => existsSync(`${hostRoot}${path}`));
  return {
    open: async () => {
      if (opened === undefined) {
        const found = find();
        if (found === undefined) {
          const expected =
            'the socket of containerd or CRI-O on this node; mount it, or name it with --runtime-endpoint';
          return failure('container-runtime-unset', 'none', expected);
        }
        opened = load(`${hostRoot}${found}`);
      }
      return opened;
    },
    close: () => void opened?.then((runtime) => runtime.close()),
  };
}

async function load(socket: string): Promise<ContainerRuntimePort> {
  const { openContainerRuntime } = await import('../../cri/open-container-runtime.ts');
  return openContainerRuntime(socket);
}
