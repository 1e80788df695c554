/** Asks the container runtime of this node over its socket. Import it only where direct server return is switched on. */

import {
  ContainerRuntimeError,
  type ContainerRuntimeErrorCode,
  type ContainerRuntimePort,
  type PodSandbox,
} from './container-runtime.ts';
import { type GrpcChannel, GrpcError, openGrpcChannel } from './grpc-channel.ts';
import { type Call, listPodSandbox, podSandboxStatus } from './messages.ts';
import { readSandbox } from './sandbox.ts';

export interface ContainerRuntimeOptions {
  /** How long to wait for an answer, in milliseconds; 10,000 unless given. */
  readonly timeoutMs?: number;
}

/** `socket` is a path. Nothing is sent before the first question; a runtime that restarts is found again. */
export function openContainerRuntime(socket: string, options: ContainerRuntimeOptions = {}): ContainerRuntimePort {
  const { timeoutMs = 10_000 } = options;
  const runtime: Runtime = { socket, channel: openGrpcChannel({ socket, timeoutMs, longestAnswer }) };
  return {
    findSandboxes: (pod) => findSandboxes(runtime, pod),
    readSandbox: (id) => findSandbox(runtime, id),
    close: () => runtime.channel.close(),
  };
}

interface Runtime {
  readonly socket: string;
  readonly channel: GrpcChannel;
}

/** A status holds the whole OCI specification of a pod; the kubelet allows as much (k8s.io/cri-client maxMsgSize). */
const longestAnswer = 16 << 20;

/** Numbers of google.rpc.Code. */
const [notFound, unimplemented] = [5, 12];

async function findSandboxes(runtime: Runtime, pod: string): Promise<readonly PodSandbox[]> {
  const slash = pod.indexOf('/');
  // The kubelet puts these on every sandbox (pkg/kubelet/types/labels.go).
  const labels = {
    'io.kubernetes.pod.namespace': pod.slice(0, slash),
    'io.kubernetes.pod.name': pod.slice(slash + 1),
  };
  const ids = (await ask(runtime, listPodSandbox(labels))) ?? [];
  const sandboxes = await Promise.all(ids.map((id) => findSandbox(runtime, id)));
  return sandboxes.filter((sandbox) => sandbox !== undefined);
}

async function findSandbox(runtime: Runtime, id: string): Promise<PodSandbox | undefined> {
  const answer = await ask(runtime, podSandboxStatus(id), notFound);
  return answer === undefined ? undefined : readSandbox(answer.status);
}

/** Undefined when the runtime answers with the status `tolerated`. */
async function ask<Answer>(runtime: Runtime, call: Call<Answer>, tolerated?: number): Promise<Answer | undefined> {
  try {
    return call.read(await runtime.channel.call(call.path, call.request));
  } catch (error) {
    if (error instanceof GrpcError && error.status === tolerated) {
      return undefined;
    }
    throw errorOf(error, call.path, runtime);
  }
}

function errorOf(error: unknown, path: string, { socket }: Runtime): ContainerRuntimeError {
  const asked = `${path.slice(path.lastIndexOf('/') + 1)} at ${socket}`;
  const says = (code: ContainerRuntimeErrorCode, found: string): ContainerRuntimeError =>
    new ContainerRuntimeError(code, `expected an answer to ${asked}, found ${found}`, { cause: error });
  if (!(error instanceof GrpcError)) {
    return says('answer-not-legible', error instanceof Error ? error.message : String(error));
  }
  switch (error.status) {
    case 'no-connection':
      return says('unavailable', `nobody there (${error.message})`);
    case 'no-answer':
      return says('unavailable', error.message);
    case 'not-legible':
      return says('answer-not-legible', error.message);
    case unimplemented:
      return says('refused', 'a server without version v1 of the Container Runtime Interface');
    default:
      return says('refused', `status ${error.status}: ${error.message}`);
  }
}
