/** Where container runtimes answer. */

import { existsSync } from 'node:fs';

/** containerd's socket and CRI-O's, in the order in which they are looked for. */
export const runtimeSockets: readonly string[] = ['/run/containerd/containerd.sock', '/run/crio/crio.sock'];

/** The first of the usual sockets that exists; undefined when there is none. */
export function findRuntimeSocket(exists: (path: string) => boolean = existsSync): string | undefined {
  return runtimeSockets.find((path) => exists(path));
}
