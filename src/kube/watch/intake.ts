/** Turns the raw objects of one kind into changes and problems, and keeps the last good version of each. */

import type { FactChange, ObjectFact, ObjectKind } from '../../core/model/facts.ts';
import type { Refusal } from '../../core/model/reason.ts';
import { isSameNode } from '../../core/same-node.ts';
import type { Project, Projection, ProjectionSettings } from '../project/projection.ts';
import type { FactSink } from '../source.ts';

export interface Intake {
  /** What follows belongs to a new list, which counts only once it is complete. */
  beginList(): void;
  put(raw: unknown): void;
  remove(raw: unknown): void;
  /** The list is complete: one `replace`. */
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
  const state: State = { input, known: new Map(), troubled: new Set(), list: undefined, batch: [] };
  return {
    beginList: () => {
      state.list = { facts: new Map(), troubled: new Set() };
    },
    put: (raw) => put(state, input.project(raw, input.settings)),
    remove: (raw) => remove(state, input.project(raw, input.settings).key),
    completeList: () => completeList(state),
    flush: () => {
      if (state.batch.length > 0) {
        const batch = state.batch;
        state.batch = [];
        input.sink.changes(batch);
      }
    },
  };
}

interface State {
  readonly input: IntakeInput;
  known: Map<string, ObjectFact>;
  /** Keys of objects of which a problem was told. */
  troubled: Set<string>;
  list: { readonly facts: Map<string, ObjectFact>; readonly troubled: Set<string> } | undefined;
  batch: FactChange[];
}

function put(state: State, projection: Projection): void {
  const { key } = projection;
  switch (projection.result) {
    case 'fact':
      tell(state, key, projection.refusals);
      keep(state, key, projection.object);
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

function keep(state: State, key: string, object: ObjectFact): void {
  if (state.list !== undefined) {
    state.list.facts.set(key, object);
  } else if (!isKnownNode(state.known.get(key), object)) {
    state.known.set(key, object);
    state.batch.push({ change: 'set', ...object });
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
  state.batch.push({ change: 'replace', kind: input.kind, facts: [...list.facts.values()] });
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
