/**
 * The part of the Container Runtime Interface, version v1, that is used (k8s.io/cri-api, runtime/v1/api.proto). Two
 * questions are all; packages for gRPC and Protocol Buffers would be a quarter of the program, in memory on every node.
 */

import { type ReadMessage, readMessage, writeMessage } from './wire.ts';

/** One call: where it is served, what is asked, how the answer is read. */
export interface Call<Answer> {
  readonly path: string;
  readonly request: Uint8Array;
  /** Throws RangeError for bytes that are no message. */
  readonly read: (bytes: Uint8Array) => Answer;
}

/** The status of a sandbox, as far as it is used. */
export interface SandboxStatus {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly isReady: boolean;
  /** As the runtime writes them; the first is the pod's own. */
  readonly addresses: readonly string[];
  readonly isHostNetwork: boolean;
  /** What the runtime tells beyond the CRI, as JSON: the value of `info` in its map of that name. */
  readonly info: string | undefined;
}

/** PodSandboxState.SANDBOX_READY and NamespaceMode.NODE. */
const sandboxReady = 0;
const nodeNamespace = 2;

/** The ids of the sandboxes that are ready and have these labels. */
export function listPodSandbox(labels: Readonly<Record<string, string>>): Call<readonly string[]> {
  const state = writeMessage([1, sandboxReady]);
  const selector = Object.entries(labels).map(([key, value]) => [3, writeMessage([1, key], [2, value])] as const);
  return {
    path: '/runtime.v1.RuntimeService/ListPodSandbox',
    request: writeMessage([1, writeMessage([2, state], ...selector)]),
    read: (bytes) =>
      readMessage(bytes)
        .messages(1)
        .map((sandbox) => sandbox.text(1)),
  };
}

/** The status of one sandbox; undefined: the answer has none. */
export function podSandboxStatus(id: string): Call<{ readonly status: SandboxStatus | undefined }> {
  const verbose = true;
  return {
    path: '/runtime.v1.RuntimeService/PodSandboxStatus',
    request: writeMessage([1, id], [2, verbose]),
    read: (bytes) => {
      const response = readMessage(bytes);
      const status = response.message(1);
      return { status: status === undefined ? undefined : readStatus(status, response.messages(2)) };
    },
  };
}

function readStatus(status: ReadMessage, info: readonly ReadMessage[]): SandboxStatus {
  const [metadata, network] = [status.message(2), status.message(5)];
  const own = network?.text(1) ?? '';
  const others = network?.messages(2).map((address) => address.text(1)) ?? [];
  const options = status.message(6)?.message(1)?.message(2);
  return {
    id: status.text(1),
    name: metadata?.text(1) ?? '',
    namespace: metadata?.text(3) ?? '',
    isReady: status.number(3) === sandboxReady,
    addresses: [own, ...others].filter((address) => address !== ''),
    isHostNetwork: options?.number(1) === nodeNamespace,
    info: info.find((entry) => entry.text(1) === 'info')?.text(2),
  };
}
