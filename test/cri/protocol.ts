/** The Container Runtime Interface as a server has it, by packages of others (k8s.io/cri-api, runtime/v1/api.proto). */

import protobuf from 'protobufjs';

const proto = `
syntax = "proto3";
package runtime.v1;

message ListPodSandboxRequest { PodSandboxFilter filter = 1; }
message PodSandboxFilter {
  string id = 1;
  PodSandboxStateValue state = 2;
  map<string, string> label_selector = 3;
}
message PodSandboxStateValue { PodSandboxState state = 1; }
enum PodSandboxState { SANDBOX_READY = 0; SANDBOX_NOTREADY = 1; }

message ListPodSandboxResponse { repeated PodSandbox items = 1; }
message PodSandbox {
  string id = 1;
  PodSandboxMetadata metadata = 2;
  PodSandboxState state = 3;
}
message PodSandboxMetadata { string name = 1; string uid = 2; string namespace = 3; uint32 attempt = 4; }

message PodSandboxStatusRequest { string pod_sandbox_id = 1; bool verbose = 2; }
message PodSandboxStatusResponse {
  PodSandboxStatus status = 1;
  map<string, string> info = 2;
}
message PodSandboxStatus {
  string id = 1;
  PodSandboxMetadata metadata = 2;
  PodSandboxState state = 3;
  PodSandboxNetworkStatus network = 5;
  LinuxPodSandboxStatus linux = 6;
}
message PodSandboxNetworkStatus { string ip = 1; repeated PodIP additional_ips = 2; }
message PodIP { string ip = 1; }
message LinuxPodSandboxStatus { Namespace namespaces = 1; }
message Namespace { NamespaceOption options = 2; }
message NamespaceOption { NamespaceMode network = 1; }
enum NamespaceMode { POD = 0; CONTAINER = 1; NODE = 2; TARGET = 3; }
`;

export type PodSandboxState = 'SANDBOX_READY' | 'SANDBOX_NOTREADY';

export interface PodSandboxMetadata {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
}

/** Lists sandboxes that have all of the filter. */
export interface ListPodSandboxRequest {
  readonly filter: {
    readonly state: { readonly state: PodSandboxState };
    readonly labelSelector: Readonly<Record<string, string>>;
  };
}

export interface ListPodSandboxResponse {
  readonly items: readonly { readonly id: string; readonly state: PodSandboxState }[];
}

export interface PodSandboxStatusRequest {
  readonly podSandboxId: string;
  /** Also `info`. */
  readonly verbose: boolean;
}

/** A message that was not sent is null. */
export interface PodSandboxStatusResponse {
  readonly status: {
    readonly id: string;
    readonly metadata: PodSandboxMetadata | null;
    readonly state: PodSandboxState;
    readonly network: { readonly ip: string; readonly additionalIps: readonly { readonly ip: string }[] } | null;
    readonly linux: { readonly namespaces: { readonly options: { readonly network: string } | null } | null } | null;
  } | null;
  /** What the runtime tells beyond the CRI, as JSON by its own names. */
  readonly info: Readonly<Record<string, string>>;
}

/** How one call is written and read. */
export interface Call<Request, Response> {
  /** Where it is served (`/runtime.v1.RuntimeService/Version`). */
  readonly path: string;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}

export interface Codec<Message> {
  readonly encode: (message: Message) => Buffer;
  /** Throws for bytes that are no such message. */
  readonly decode: (bytes: Uint8Array) => Message;
}

const types = protobuf.parse(proto).root;

export const listPodSandbox = call<ListPodSandboxRequest, ListPodSandboxResponse>('ListPodSandbox');
export const podSandboxStatus = call<PodSandboxStatusRequest, PodSandboxStatusResponse>('PodSandboxStatus');

function call<Request extends object, Response extends object>(name: string): Call<Request, Response> {
  return {
    path: `/runtime.v1.RuntimeService/${name}`,
    request: codec<Request>(`${name}Request`),
    response: codec<Response>(`${name}Response`),
  };
}

function codec<Message extends object>(name: string): Codec<Message> {
  const type = types.lookupType(`runtime.v1.${name}`);
  return {
    encode: (message) => Buffer.from(type.encode(type.fromObject({ ...message })).finish()),
    decode: (bytes) => {
      const object = type.toObject(type.decode(bytes), { defaults: true, arrays: true, objects: true, enums: String });
      // The interfaces above say what the text above says, and every field is filled in.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return object as Message;
    },
  };
}
