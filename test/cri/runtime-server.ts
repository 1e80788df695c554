/** A container runtime that speaks the CRI over a socket, and knows pods that a test tells it of. */

import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import {
  type Call,
  type ListPodSandboxRequest,
  type ListPodSandboxResponse,
  listPodSandbox,
  type PodSandboxStatusRequest,
  type PodSandboxStatusResponse,
  podSandboxStatus,
} from './protocol.ts';

/** One sandbox; the network namespace is its path on the node as containerd writes it. */
export interface ServedSandbox {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly isReady: boolean;
  readonly addresses: readonly string[];
  readonly networkNamespace: string | undefined;
  readonly isHostNetwork: boolean;
}

export interface RuntimeServer {
  readonly socket: string;
  /** By id. */
  readonly sandboxes: Map<string, ServedSandbox>;
  /** Names of the calls so far. */
  readonly calls: readonly string[];
  /** Put in the place of a status's `info`. */
  info: ((sandbox: ServedSandbox) => string) | undefined;
  /** Answers no call. */
  isDeaf: boolean;
  close(): void;
}

export function servedSandbox(given: Partial<ServedSandbox> & { readonly id: string }): ServedSandbox {
  return {
    namespace: 'default',
    name: 'web',
    isReady: true,
    addresses: ['10.1.0.2', 'fd01::2'],
    networkNamespace: `/var/run/netns/cni-${given.id}`,
    isHostNetwork: false,
    ...given,
  };
}

/** Serves at a path on which nobody listens. Refuses what containerd refuses. */
export async function serveRuntime(socket: string): Promise<RuntimeServer> {
  const server = new Server();
  const calls: string[] = [];
  const runtime: RuntimeServer = {
    socket,
    sandboxes: new Map(),
    calls,
    info: undefined,
    isDeaf: false,
    close: () => server.forceShutdown(),
  };
  const answer =
    <Request, Response>(work: (request: Request) => Response | undefined, name: string) =>
    ({ request }: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>): void => {
      calls.push(name);
      if (runtime.isDeaf) return;
      const response = work(request);
      // containerd internal/cri/server/podsandbox: an error of errdefs.ErrNotFound becomes this code.
      if (response === undefined)
        done({ code: status.NOT_FOUND, details: 'an error occurred when try to find sandbox: not found' });
      else done(null, response);
    };
  server.addService(
    { list: method(listPodSandbox), status: method(podSandboxStatus) },
    {
      list: answer((request: ListPodSandboxRequest) => list(runtime, request), 'ListPodSandbox'),
      status: answer((request: PodSandboxStatusRequest) => statusOf(runtime, request), 'PodSandboxStatus'),
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return runtime;
}

function method<Request, Response>({ path, request, response }: Call<Request, Response>) {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: request.encode,
    requestDeserialize: request.decode,
    responseSerialize: response.encode,
    responseDeserialize: response.decode,
  };
}

/** All of the filter counts (internal/cri/server/sandbox_list.go). */
function list({ sandboxes }: RuntimeServer, { filter }: ListPodSandboxRequest): ListPodSandboxResponse {
  const found = [...sandboxes.values()].filter((sandbox) => {
    const labels = { 'io.kubernetes.pod.namespace': sandbox.namespace, 'io.kubernetes.pod.name': sandbox.name };
    return (
      stateOf(sandbox) === filter.state.state &&
      Object.entries(filter.labelSelector).every(([name, value]) => Reflect.get(labels, name) === value)
    );
  });
  return { items: found.map((sandbox) => ({ id: sandbox.id, state: stateOf(sandbox) })) };
}

function statusOf(
  runtime: RuntimeServer,
  { podSandboxId, verbose }: PodSandboxStatusRequest,
): PodSandboxStatusResponse | undefined {
  const sandbox = runtime.sandboxes.get(podSandboxId);
  if (sandbox === undefined) return undefined;
  const [ip = '', ...others] = sandbox.addresses;
  const info = runtime.info?.(sandbox) ?? JSON.stringify(infoOf(sandbox));
  return {
    status: {
      id: sandbox.id,
      metadata: { name: sandbox.name, namespace: sandbox.namespace, uid: `uid-${sandbox.id}` },
      state: stateOf(sandbox),
      network: { ip, additionalIps: others.map((other) => ({ ip: other })) },
      linux: { namespaces: { options: { network: sandbox.isHostNetwork ? 'NODE' : 'POD' } } },
    },
    info: verbose ? { info } : {},
  };
}

function stateOf({ isReady }: ServedSandbox): 'SANDBOX_READY' | 'SANDBOX_NOTREADY' {
  return isReady ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY';
}

/** The part of containerd's that matters, among what does not. */
function infoOf({ networkNamespace }: ServedSandbox): unknown {
  const network = networkNamespace === undefined ? [] : [{ type: 'network', path: networkNamespace }];
  const namespaces = [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }, ...network];
  return { pid: 4711, processStatus: 'running', runtimeSpec: { ociVersion: '1.2.1', linux: { namespaces } } };
}
