import { Client, credentials, Metadata } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

/** The calls of the CRI by which the kubelet makes and removes what the containers of a pod share. */

/** A pod that a test wants. */
export interface WantedPod {
  readonly namespace: string;
  readonly name: string;
  /** The pod has the node's network. */
  readonly isHostNetwork?: boolean;
  /** Counts the sandboxes of one pod: a new one is made when the old one broke. */
  readonly attempt?: number;
}

export interface PodSandboxes {
  /** Returns its id, once its network is there. */
  readonly run: (pod: WantedPod) => Promise<string>;
  readonly stop: (id: string) => Promise<void>;
  readonly remove: (id: string) => Promise<void>;
  readonly close: () => void;
}

// k8s.io/cri-api, runtime/v1/api.proto, as far as it is filled in here.
const { root } = protobuf.parse(`
syntax = "proto3";
message RunPodSandboxRequest { PodSandboxConfig config = 1; }
message PodSandboxConfig {
  PodSandboxMetadata metadata = 1;
  string hostname = 2;
  map<string, string> labels = 6;
  LinuxPodSandboxConfig linux = 8;
}
message PodSandboxMetadata { string name = 1; string uid = 2; string namespace = 3; uint32 attempt = 4; }
message LinuxPodSandboxConfig { LinuxSandboxSecurityContext security_context = 2; }
message LinuxSandboxSecurityContext { NamespaceOption namespace_options = 1; }
message NamespaceOption { int32 network = 1; }
message PodSandboxId { string pod_sandbox_id = 1; }
`);

export function openPodSandboxes(socket: string): PodSandboxes {
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  return {
    run: (pod) => call(client, 'RunPodSandbox', 'RunPodSandboxRequest', { config: configOf(pod) }),
    stop: async (podSandboxId) => {
      await call(client, 'StopPodSandbox', 'PodSandboxId', { podSandboxId });
    },
    remove: async (podSandboxId) => {
      await call(client, 'RemovePodSandbox', 'PodSandboxId', { podSandboxId });
    },
    close: () => client.close(),
  };
}

function configOf({ namespace, name, isHostNetwork = false, attempt = 0 }: WantedPod): object {
  return {
    metadata: { name, namespace, uid: `uid-${name}`, attempt },
    hostname: isHostNetwork ? '' : name,
    labels: { 'io.kubernetes.pod.namespace': namespace, 'io.kubernetes.pod.name': name },
    linux: { securityContext: { namespaceOptions: { network: isHostNetwork ? 2 : 0 } } },
  };
}

/** Returns the id in the answer; '' when it holds none. */
function call(client: Client, method: string, request: string, message: object): Promise<string> {
  const [asked, answered] = [root.lookupType(request), root.lookupType('PodSandboxId')];
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      `/runtime.v1.RuntimeService/${method}`,
      (value: object) => Buffer.from(asked.encode(asked.fromObject(value)).finish()),
      (bytes: Buffer) => String(answered.toObject(answered.decode(bytes), { defaults: true })['podSandboxId']),
      message,
      new Metadata(),
      {},
      (error, id) => (error === null ? resolve(id ?? '') : reject(error)),
    );
  });
}
