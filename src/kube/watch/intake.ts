/** Turns the raw objects of one kind into changes and problems, and keeps the last good version of each. */

import { LargeMap } from '../../core/large-map.ts';
import type { FactChange, ObjectFact, ObjectKind } from '../../core/model/facts.ts';
import type { Refusal } from '../../core/model/reason.ts';
import { isSameNode } from '../../core/same-node.ts';
import { keyOfObject } from '../project/metadata.ts';
import type { Project, Projection, ProjectionSettings } from '../project/projection.ts';
import { shareEndpoints } from '../project/share-endpoints.ts';
import type { FactSink } from '../source.ts';

export interface Intake {
  /**
   * What follows belongs to a new list. What it lacks is gone only once it is complete; what the first one brings is told of
   * at once, so that ten thousand objects are not taken in at one moment.
   */
  beginList(): void;
  /** In a list an object of a `version` that is known is not looked at again. */
  put(raw: unknown, version: string | undefined): void;
  remove(raw: unknown): void;
  /** The list is complete: `complete` after the first one, at once, else one `replace`. */
  completeList(): void;
  /** Hands over what has gathered since the last time. */
  flush(): void;
}

export interface IntakeInput {
  readonly kind: ObjectKind;
  readonly project: Project;
  readonly settings: ProjectionSettings;
  readonly sink: FactSink;
}

export function createIntake(input: IntakeInput): Intake {
  const state: State = { input, known: new LargeMap(), troubled: new Set(), list: undefined, isFirst: true, batch: [] };
  return {
    beginList: () => {
      state.list = { facts: new LargeMap(), troubled: new Set() };
    },
    put: (raw, version) => {
      if (!isKnownVersion(state, raw, version)) {
        put(state, input.project(raw, input.settings), version);
      }
    },
    remove: (raw) => remove(state, input.project(raw, input.settings).key),
    completeList: () => completeList(state),
    flush: () => flush(state),
  };
}

interface State {
  readonly input: IntakeInput;
  known: Map<string, Known>;
  /** Keys of objects of which a problem was told. */
  troubled: Set<string>;
  list: { readonly facts: Map<string, Known>; readonly troubled: Set<string> } | undefined;
  /** No list is complete yet. */
  isFirst: boolean;
  batch: FactChange[];
}

/** One object for both: there are as many as Services and slices. */
type Known = ObjectFact & {
  /** As the API server gave it; undefined: it gave none. */
  readonly version: string | undefined;
};

/** What is known is taken into the list as the object that it is; one with a problem is told of again. */
function isKnownVersion({ list, known, troubled }: State, raw: unknown, version: string | undefined): boolean {
  if (list === undefined || version === undefined || known.size === 0) {
    return false;
  }
  const key = keyOfObject(raw) ?? '';
  const there = known.get(key);
  if (there?.version !== version || troubled.has(key)) {
    return false;
  }
  list.facts.set(key, there);
  return true;
}

function put(state: State, projection: Projection, version: string | undefined): void {
  const { key } = projection;
  switch (projection.result) {
    case 'fact':
      tell(state, key, projection.refusals);
      keep(state, key, shareEndpoints(projection.object, state.known.get(key)), version);
      break;
    case 'unconcerned':
      remove(state, key);
      break;
    case 'malformed': {
      tell(state, key, projection.refusals);
      // In a new list too the last good version stays: a malformed object removes nothing.
      const last = state.known.get(key);
      if (state.list !== undefined && last !== undefined && !state.list.facts.has(key)) {
        state.list.facts.set(key, last);
      }
      break;
    }
  }
}

function keep(state: State, key: string, object: ObjectFact, version: string | undefined): void {
  if (state.list !== undefined) {
    state.list.facts.set(key, withVersion(object, version));
    if (state.isFirst) {
      state.batch.push({ change: 'set', ...object });
    }
  } else if (!isKnownNode(state.known.get(key), object)) {
    state.known.set(key, withVersion(object, version));
    state.batch.push({ change: 'set', ...object });
  }
}

/** Not a spread: V8 would keep the version apart from the rest, in an object of its own. */
function withVersion(object: ObjectFact, version: string | undefined): Known {
  switch (object.kind) {
    case 'Service':
      return { kind: object.kind, fact: object.fact, version };
    case 'EndpointSlice':
      return { kind: object.kind, fact: object.fact, version };
    case 'Node':
      return { kind: object.kind, fact: object.fact, version };
    case 'ServiceCIDR':
      return { kind: object.kind, fact: object.fact, version };
  }
}

/** Every kubelet writes its Node's status every few minutes, and hardly ever is there anything new in it for us. */
function isKnownNode(known: ObjectFact | undefined, object: ObjectFact): boolean {
  return known?.kind === 'Node' && object.kind === 'Node' && isSameNode(known.fact, object.fact);
}

function remove(state: State, key: string): void {
  tell(state, key, []);
  if (state.list !== undefined) {
    state.list.facts.delete(key);
  } else if (state.known.delete(key)) {
    state.batch.push({ change: 'delete', kind: state.input.kind, key });
  }
}

function completeList(state: State): void {
  const { input, list } = state;
  if (list === undefined) {
    return;
  }
  state.list = undefined;
  for (const key of state.troubled) {
    if (!list.troubled.has(key)) {
      input.sink.problem({ kind: input.kind, key, source: 'api', refusals: [] });
    }
  }
  state.known = list.facts;
  state.troubled = list.troubled;
  if (state.isFirst) {
    state.isFirst = false;
    state.batch.push(endOfFirst(input.kind, list.facts));
    // While it is only the list.
    flush(state);
  } else {
    state.batch.push(replacement(input.kind, list.facts));
  }
}

function flush(state: State): void {
  if (state.batch.length > 0) {
    const batch = state.batch;
    state.batch = [];
    state.input.sink.changes(batch);
  }
}

/** Its objects were told of as they came. */
function endOfFirst(kind: ObjectKind, list: ReadonlyMap<string, Known>): FactChange {
  return { change: 'complete', kind, count: list.size, list };
}

function replacement(kind: ObjectKind, list: ReadonlyMap<string, Known>): FactChange {
  return { change: 'replace', kind, facts: [...list.values()] };
}

function tell(state: State, key: string, refusals: readonly Refusal[]): void {
  const { input } = state;
  const troubled = state.list?.troubled ?? state.troubled;
  if (refusals.length > 0) {
    troubled.add(key);
    input.sink.problem({ kind: input.kind, key, source: 'api', refusals });
  } else if (troubled.delete(key)) {
    input.sink.problem({ kind: input.kind, key, source: 'api', refusals });
  }
}
