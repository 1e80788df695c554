/** Reads the status of a sandbox as the runtimes write it. */

import { parseAddress } from '../core/address.ts';
import { ContainerRuntimeError, type PodSandbox } from './container-runtime.ts';
import type { SandboxStatus } from './messages.ts';

/** Undefined when it is not ready. Throws ContainerRuntimeError for what no CRI says. */
export function readSandbox(status: SandboxStatus | undefined): PodSandbox | undefined {
  if (status === undefined || status.id === '' || status.name === '') {
    throw new ContainerRuntimeError('answer-not-legible', 'expected the status of a pod sandbox with its metadata');
  }
  const { id, namespace, name, isReady, addresses, isHostNetwork, info } = status;
  if (!isReady) {
    return undefined;
  }
  return {
    id,
    pod: `${namespace}/${name}`,
    addresses: addresses.map(parseAddress).filter((address) => address !== undefined),
    networkNamespace: networkNamespaceOf(info),
    isHostNetwork,
  };
}

/**
 * containerd and CRI-O both put the OCI specification of the sandbox's own container into `info` (containerd
 * internal/cri/server/podsandbox/sandbox_status.go, CRI-O server/sandbox_status.go). The CRI itself has no field for it.
 */
function networkNamespaceOf(info: string | undefined): string | undefined {
  const namespaces = at(at(at(parse(info), 'runtimeSpec'), 'linux'), 'namespaces');
  if (!Array.isArray(namespaces)) {
    return undefined;
  }
  const network: unknown = namespaces.find((each) => at(each, 'type') === 'network');
  const path = at(network, 'path');
  return typeof path === 'string' && path.startsWith('/') ? withoutOldName(path) : undefined;
}

/** Both write /var/run, which is a link to /run on the node and need not be one in a container. */
function withoutOldName(path: string): string {
  return path.replace(/^\/var\/run\//, '/run/');
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}

function at(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value ? Reflect.get(value, name) : undefined;
}
