/** The container runtime of this node, as far as direct server return asks it: where a pod's network namespace is. */

/** A pod as the runtime has it: what its containers share. */
export interface PodSandbox {
  /** Never given twice. */
  readonly id: string;
  /** `namespace/name`. */
  readonly pod: string;
  /** Canonical; the first is the pod's own. Empty with the host's network. */
  readonly addresses: readonly string[];
  /** `/run/netns/NAME`; undefined: the runtime names none. */
  readonly networkNamespace: string | undefined;
  /** The pod has the node's network. */
  readonly isHostNetwork: boolean;
}

/** All of these reject with ContainerRuntimeError. */
export interface ContainerRuntimePort {
  /** The sandboxes of a pod (`namespace/name`) that are ready. Two stand side by side while one is replaced. */
  findSandboxes(pod: string): Promise<readonly PodSandbox[]>;
  /** Undefined when there is no such sandbox or it is not ready: then its network namespace is gone or about to go. */
  readSandbox(id: string): Promise<PodSandbox | undefined>;
  close(): void;
}

export type ContainerRuntimeErrorCode =
  /** Nobody answers at the socket, or not in time. */
  | 'unavailable'
  /** It answers with an error. */
  | 'refused'
  /** It answers with something else than the CRI has. */
  | 'answer-not-legible';

const brand: unique symbol = Symbol.for('sluice.ContainerRuntimeError');

/** The runtime could not be asked. The message says what was asked where, and what came of it. */
export class ContainerRuntimeError extends Error {
  override readonly name = 'ContainerRuntimeError';
  readonly [brand] = true;
  readonly code: ContainerRuntimeErrorCode;

  constructor(code: ContainerRuntimeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Recognises a `ContainerRuntimeError`. */
export function isContainerRuntimeError(value: unknown): value is ContainerRuntimeError {
  return typeof value === 'object' && value !== null && brand in value;
}
