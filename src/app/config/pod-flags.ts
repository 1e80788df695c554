/** Flags of what is done inside the pods of this node, for direct server return. */

import { type Flag, flag } from './flag.ts';
import * as kinds from './path-kinds.ts';

const group = 'Direct server return';

/** In the order of the help. */
export const podFlags: readonly Flag[] = [
  flag('runtimeEndpoint', kinds.socket, {
    name: 'runtime-endpoint',
    group,
    origin: 'kube-router',
    help: "The socket of the container runtime, which says where a pod's network is. Without it the first of containerd's and CRI-O's that exists. It is not touched before a pod is to be prepared.",
  }),
  flag('hostRoot', kinds.root, {
    name: 'host-root',
    group,
    origin: 'sluice',
    help: "Where the host's root is mounted, if the socket and /run/netns are not at their own paths: put before both.",
  }),
  flag('podRecords', kinds.folder, {
    name: 'direct-return-records',
    group,
    origin: 'sluice',
    help: 'Where sluice writes down what it changed in which pod, so that it is restored whatever happens. It has to outlive the agent, not the node.',
  }),
];
