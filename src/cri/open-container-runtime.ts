/** Asks the container runtime of this node over its socket. Import it only where direct server return is switched on. */

import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  ContainerRuntimeError,
  type ContainerRuntimeErrorCode,
  type ContainerRuntimePort,
  type PodSandbox,
} from './container-runtime.ts';
import { type Call, listPodSandbox, podSandboxStatus } from './messages.ts';
import { readSandboxStatus } from './sandbox.ts';

export interface ContainerRuntimeOptions {
  /** How long to wait for an answer, in milliseconds; 10,000 unless given. */
  readonly timeoutMs?: number;
}

/** `socket` is a path. Nothing is sent before the first question; a runtime that restarts is found again. */
export function openContainerRuntime(socket: string, options: ContainerRuntimeOptions = {}): ContainerRuntimePort {
  const runtime: Runtime = {
    socket,
    client: new Client(`unix:${socket}`, credentials.createInsecure(), channelOptions),
    timeoutMs: options.timeoutMs ?? 10_000,
  };
  return {
    findSandboxes: (pod) => findSandboxes(runtime, pod),
    readSandbox: (id) => readSandbox(runtime, id),
    close: () => runtime.client.close(),
  };
}

interface Runtime {
  readonly socket: string;
  readonly client: Client;
  readonly timeoutMs: number;
}

const channelOptions = {
  // A status holds the whole OCI specification of a pod; the kubelet allows as much (k8s.io/cri-client maxMsgSize).
  'grpc.max_receive_message_length': 16 << 20,
  // A runtime is away for the second of its restart, not for minutes.
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 3_000,
  'grpc.enable_retries': 0,
};

async function findSandboxes(runtime: Runtime, pod: string): Promise<readonly PodSandbox[]> {
  const slash = pod.indexOf('/');
  // The kubelet puts these on every sandbox (pkg/kubelet/types/labels.go).
  const labelSelector = {
    'io.kubernetes.pod.namespace': pod.slice(0, slash),
    'io.kubernetes.pod.name': pod.slice(slash + 1),
  };
  const filter = { state: { state: 'SANDBOX_READY' }, labelSelector } as const;
  const answer = await ask(runtime, listPodSandbox, { filter });
  const sandboxes = await Promise.all((answer?.items ?? []).map(({ id }) => readSandbox(runtime, id)));
  return sandboxes.filter((sandbox) => sandbox !== undefined);
}

async function readSandbox(runtime: Runtime, id: string): Promise<PodSandbox | undefined> {
  const answer = await ask(runtime, podSandboxStatus, { podSandboxId: id, verbose: true }, status.NOT_FOUND);
  return answer === undefined ? undefined : readSandboxStatus(answer);
}

/** Undefined when the runtime answers with the status `tolerated`. */
function ask<Request, Response>(
  runtime: Runtime,
  { path, request, response }: Call<Request, Response>,
  message: Request,
  tolerated?: status,
): Promise<Response | undefined> {
  const { client, timeoutMs } = runtime;
  const deadline = Date.now() + timeoutMs;
  return new Promise((resolve, reject) => {
    const answered = (error: ServiceError | null, answer: Response | undefined): void => {
      if (error === null || error.code === tolerated) {
        resolve(answer);
      } else {
        reject(errorOf(error, path, runtime));
      }
    };
    client.makeUnaryRequest(path, request.encode, response.decode, message, new Metadata(), { deadline }, answered);
  });
}

function errorOf(error: ServiceError, path: string, { socket, timeoutMs }: Runtime): ContainerRuntimeError {
  const asked = `${path.slice(path.lastIndexOf('/') + 1)} at ${socket}`;
  const says = (code: ContainerRuntimeErrorCode, found: string): ContainerRuntimeError =>
    new ContainerRuntimeError(code, `expected an answer to ${asked}, found ${found}`, { cause: error });
  switch (error.code) {
    case status.UNAVAILABLE:
      return says('unavailable', `nobody there (${error.details})`);
    case status.DEADLINE_EXCEEDED:
      return says('unavailable', `none within ${timeoutMs / 1000} s`);
    case status.UNIMPLEMENTED:
      return says('refused', 'a server without version v1 of the Container Runtime Interface');
    case status.INTERNAL:
      // What @grpc/grpc-js makes of an answer that its reader throws at.
      return error.details.startsWith('Response message parsing error')
        ? says('answer-not-legible', error.details)
        : says('refused', error.details);
    default:
      return says('refused', `${status[error.code]}: ${error.details}`);
  }
}
