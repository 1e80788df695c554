/** What the manifest is made from, and of. */

export type Json = string | number | boolean | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

export interface ManifestInput {
  readonly image: string;
  readonly namespace: string;
  /** Flags of the agent, in their order, without the name of the node. */
  readonly agentFlags: readonly string[];
  /** Those of them that count before the agent runs, with all privileges. */
  readonly preparationFlags: readonly string[];
  /** Where the agent answers for its health; undefined: nowhere. */
  readonly healthz: { readonly address: string; readonly port: number } | undefined;
  readonly directReturn: DirectReturnFolders | undefined;
  /** The folder of the node that keeps the last known state; undefined: none is kept. */
  readonly stateFolder: string | undefined;
}

/** What direct server return takes of the node. */
export interface DirectReturnFolders {
  /** Where the container runtime has its socket. */
  readonly runtime: string;
  /** Where sluice records what it changed in pods. */
  readonly records: string;
}
