/** The network namespaces of pods by rtnetlink and FOU. */

import { statfsSync, statSync } from 'node:fs';
import { errno, isKernelError, KernelError } from '../error.ts';
import { fileError } from '../file-error.ts';
import { NETLINK_GENERIC, NETLINK_ROUTE } from '../netlink/constants.ts';
import { closeNetlinkSocket, type NetlinkSocket, openNetlinkSocket } from '../netlink/socket.ts';
import type { PodNamespace, PodNetworkPort } from '../ports.ts';
import { ensureTunnel } from './ensure-tunnel.ts';
import { type PodSockets, readTunnel } from './read-tunnel.ts';
import { restoreTunnel } from './restore-tunnel.ts';

/**
 * Opens the port. It holds nothing open: a socket in a pod's namespace would keep the namespace, after the pod is gone.
 * Needs NET_ADMIN, and SYS_ADMIN to enter a namespace (setns).
 */
export function openPodNetwork(): PodNetworkPort {
  return {
    identify: identityOf,
    read: (namespace, tunnel) => {
      const {
        deviceIndex: _,
        tunnelIndex: __,
        ...reading
      } = inside(namespace, (sockets) => readTunnel(sockets, tunnel));
      return reading;
    },
    ensure: (namespace, tunnel, before) => inside(namespace, (sockets) => ensureTunnel(sockets, tunnel, before)),
    restore: (namespace, tunnel, before) => inside(namespace, (sockets) => restoreTunnel(sockets, tunnel, before)),
  };
}

function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    if (statfsSync(path).type === NSFS_MAGIC) return `${dev}:${ino}`;
  } catch (thrown) {
    const error = fileError(`look at network namespace ${path}`, thrown);
    if (isKernelError(error) && error.errno === errno.ENOENT) return undefined;
    throw error;
  }
  // A namespace is mounted over an empty file. A container that does not see mounts made later sees the file.
  const found = 'an ordinary file; in a container, mount its folder with mountPropagation HostToContainer';
  throw new KernelError(`look at network namespace ${path}: found ${found}`, errno.EINVAL);
}

/** include/uapi/linux/magic.h. */
const NSFS_MAGIC = 0x6e736673;

function inside<Result>(namespace: PodNamespace, work: (sockets: PodSockets) => Result): Result {
  const { path, identity } = namespace;
  const opened: NetlinkSocket[] = [];
  const open = (protocol: number): NetlinkSocket => {
    const socket = openNetlinkSocket({ protocol, networkNamespace: path, ...small });
    opened.push(socket);
    return socket;
  };
  let generic: NetlinkSocket | undefined;
  try {
    const route = open(NETLINK_ROUTE);
    // After it was opened: a path that another namespace had taken by then does not pass.
    if (identityOf(path) !== identity) {
      throw new KernelError(`enter network namespace ${path}: another one is there now`, errno.ESTALE);
    }
    return work({ route, generic: () => (generic ??= open(NETLINK_GENERIC)) });
  } finally {
    for (const socket of opened) closeNetlinkSocket(socket);
  }
}

/** A pod has a few interfaces and addresses; what thousands need would be in the way on a node of hundreds of pods. */
const small = { receiveQueueBytes: 256 << 10, sendQueueBytes: 64 << 10 };
