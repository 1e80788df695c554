/** Finds the network namespace of a pod, and makes sure that it is this pod's. */

import type { PodTunnel } from '../../core/model/pod-tunnel.ts';
import type { ContainerRuntimePort, PodSandbox } from '../../cri/container-runtime.ts';
import type { PodNamespace, PodNetworkPort } from '../../kernel/ports.ts';
import { failure, type PodTunnelFailure } from './failure.ts';

export interface PodPlace {
  readonly sandbox: string;
  readonly namespace: PodNamespace;
}

export interface Places {
  readonly network: Pick<PodNetworkPort, 'identify'>;
  /** Where the host's root is seen; '' where it is our own. */
  readonly hostRoot: string;
}

/**
 * The name of a pod is given again and so is its address, each by another authority; both together tell the one meant.
 * Rejects with ContainerRuntimeError, and KernelError.
 */
export async function locatePod(
  runtime: ContainerRuntimePort,
  { pod, address }: PodTunnel,
  places: Places,
): Promise<PodPlace | PodTunnelFailure> {
  const sandboxes = await runtime.findSandboxes(pod);
  const own = sandboxes.filter((sandbox) => sandbox.addresses.includes(address));
  const [first] = own.length > 0 ? own : sandboxes;
  if (first === undefined) {
    return failure('pod-sandbox-missing', `no sandbox of ${pod} that is ready`, 'one in the container runtime');
  }
  if (first.isHostNetwork) {
    return hostNetwork(pod);
  }
  if (own.length === 0) {
    const found = sandboxes.flatMap(({ addresses }) => addresses);
    return failure(
      'pod-address-differs',
      `${pod} with ${found.length > 0 ? found.join(', ') : 'no address'}`,
      `${address}, as the EndpointSlice says`,
    );
  }
  const namespaces = own.map((sandbox) => placeOf(sandbox, places));
  return namespaces.find((place) => !('kind' in place)) ?? namespaces[0] ?? hostNetwork(pod);
}

function placeOf(
  { id, pod, networkNamespace }: PodSandbox,
  { network, hostRoot }: Places,
): PodPlace | PodTunnelFailure {
  if (networkNamespace === undefined) {
    const found = `no network namespace in the status of sandbox ${id}`;
    return failure('pod-namespace-missing', found, 'its path, as containerd and CRI-O tell it');
  }
  const path = `${hostRoot}${networkNamespace}`;
  const identity = network.identify(path);
  if (identity === undefined) {
    const expected = 'the network namespace of the pod; mount the host’s /run/netns with propagation HostToContainer';
    return failure('pod-namespace-missing', `nothing at ${path}`, expected);
  }
  // Whatever the runtime says: nothing of this is ever to be done to the node itself.
  return identity === network.identify('/proc/self/ns/net')
    ? hostNetwork(pod)
    : { sandbox: id, namespace: { path, identity } };
}

function hostNetwork(pod: string): PodTunnelFailure {
  return failure('direct-return-host-network', `${pod} in the node’s network`, 'a pod with a network of its own');
}
