/** Why a pod cannot be prepared, in the words of a refusal. */

import type { PodTunnelState } from '../../core/model/pod-tunnel.ts';
import { isContainerRuntimeError } from '../../cri/container-runtime.ts';
import { isKernelError } from '../../kernel/error.ts';

export type PodTunnelFailure = Extract<PodTunnelState, { readonly kind: 'failed' }>;

export function failure(reason: PodTunnelFailure['reason'], found: string, expected: string): PodTunnelFailure {
  return { kind: 'failed', reason, found, expected };
}

/** What an error means that came on the way. */
export function failureOf(error: unknown): PodTunnelFailure {
  const found = error instanceof Error ? error.message : String(error);
  if (isContainerRuntimeError(error)) {
    return failure('container-runtime-unavailable', found, 'a container runtime that answers');
  }
  // EACCES is another thing: the kernel's word for IPv6 that is switched off in the pod (inet6_addr_add).
  if (isKernelError(error) && error.code === 'EPERM') {
    return failure('pod-tunnel-refused', found, 'the capabilities NET_ADMIN and SYS_ADMIN, to work inside pods');
  }
  return failure('pod-tunnel-refused', found, 'a tunnel device with the VIPs in the pod’s network namespace');
}
