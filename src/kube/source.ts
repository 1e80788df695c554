/** Where facts come from, and what the rest of the agent sees of it. */

import type { FactChange, ObjectKind } from '../core/model/facts.ts';
import type { Refusal } from '../core/model/reason.ts';

/** Receives what a source has to say. Called synchronously while the source reads; it must not throw. */
export interface FactSink {
  /** One call per network chunk or file change, and at the end of a first list; never empty. */
  changes(batch: readonly FactChange[]): void;
  /** A malformed object or a refused part of one. */
  problem(problem: ObjectProblem): void;
}

export interface ObjectProblem {
  /** `Manifest`: a file of which some part cannot even be read as objects. */
  readonly kind: ObjectKind | 'Manifest';
  /** `namespace/name`, for a Node its name, for a Manifest the file; '' when the object does not even say that. */
  readonly key: string;
  /** `file:line`, or `api`. */
  readonly source: string;
  /** Empty: the object is fine again, or gone. */
  readonly refusals: readonly Refusal[];
}

/**
 * Delivers for each kind first the complete list, as one `replace` or as many `set` and one `complete`, then `set` and
 * `delete`; `replace` whenever the list had to be read anew. Nobody acts on a kind before its list is complete.
 */
export interface FactSource {
  /** Begins once. Failures never end a source: they show in `states` and are tried again. */
  start(sink: FactSink): void;
  /** Resolves when nothing of the source runs any more; the sink is not called after the call to `stop`. */
  stop(): Promise<void>;
  /** One per kind, as of now. */
  states(): readonly SourceState[];
}

export type SourcePhase =
  /** The first complete list has not arrived yet. */
  | 'initial'
  /** Complete and listening. */
  | 'synced'
  /** The stream ended; it is taken up where it ended. */
  | 'resuming'
  /** The list is read anew, because what happened since the stream ended is no longer known. */
  | 'relisting'
  /** Waiting before the next attempt. */
  | 'backoff'
  /** The server lacks this kind, or refuses it, and we can do without; asked again now and then. */
  | 'unavailable';

export interface SourceState {
  readonly kind: ObjectKind;
  readonly phase: SourcePhase;
  /** Whether a complete list was ever delivered. */
  readonly hasSynced: boolean;
  /** Milliseconds since the last sign of life (event, bookmark, complete list); undefined before the first. */
  readonly lastEventAgeMs: number | undefined;
  /** The last failure; undefined again once the source is synced after it. */
  readonly lastError: SourceFailure | undefined;
}

export interface SourceFailure {
  readonly code: SourceFailureCode;
  /** For people. */
  readonly message: string;
}

export type SourceFailureCode =
  | 'credentials-unusable'
  | 'unreachable'
  | 'connection-lost'
  /** No byte for so long that the connection is taken for dead. */
  | 'silent'
  | 'unauthorized'
  | 'forbidden'
  | 'throttled'
  /** 410: the resource version is too old to go on from. */
  | 'expired'
  /** 400 or 422: the server does not know this kind of request. */
  | 'unsupported'
  /** 404: the server does not have this kind. */
  | 'missing'
  /** Any other status but success. */
  | 'refused'
  | 'line-too-long'
  | 'line-malformed'
  /** The stream ended at once, without an event. */
  | 'ended-early'
  /** A folder or file of manifests cannot be read. */
  | 'manifest-unreadable';
