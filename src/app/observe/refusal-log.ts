/** Logs each refused part of an object once, when it first appears, and keeps the count by reason. */

import { isAudited, type Reason, type Refusal } from '../../core/model/reason.ts';
import { endsStep, type Steps } from '../../core/steps.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { refusalsIn } from '../reconciler/quarantine.ts';
import type { PassOutcome, ReconcilerView } from '../reconciler/state.ts';

/** What a source says about one object. */
export interface ObjectRefusals {
  readonly kind: string;
  readonly key: string;
  /** `file:line`, or `api`. */
  readonly source: string;
  readonly refusals: readonly Refusal[];
}

export interface RefusalLog {
  /** Refused while reading the object; an empty list clears what was said before. */
  problem(object: ObjectRefusals): void;
  /** Sockets of a Service's health check that could not be opened; empty: all are open, or gone. */
  unserved(service: string, refusals: readonly Refusal[]): void;
  /** Refused while compiling it or by the kernel: looked at after passes that compiled something or failed, in steps. */
  passed(outcome: PassOutcome, view: ReconcilerView): Steps<void>;
}

/** Refusals of one reason that an object did not have before, the first of them and how many more there are. */
export interface NewRefusal {
  readonly object: Pick<ObjectRefusals, 'kind' | 'key'>;
  readonly refusal: Refusal;
  readonly more: number;
}

export function createRefusalLog(
  log: Log,
  metrics: Metrics,
  onRefused: (refused: NewRefusal) => void = () => {},
): RefusalLog {
  const known = new Map<string, readonly Refusal[]>();
  const totals = countByReason(metrics);
  const update = (object: ObjectRefusals, origin: string): void => {
    const name = `${origin} ${object.kind} ${object.key}`;
    if (object.refusals.length === 0 && !known.has(name)) {
      return;
    }
    const before = new Set((known.get(name) ?? []).map(textOf));
    const fresh = object.refusals.filter((each) => !before.has(textOf(each)));
    for (const refusal of fresh) {
      const what = isAudited(refusal.reason) ? 'programmed, but reported' : 'refused';
      log.warn({ object: `${object.kind} ${object.key}`, source: object.source, ...refusal }, what);
    }
    tellByReason(object, fresh, onRefused);
    totals.move(known.get(name) ?? [], object.refusals);
    replace(known, name, object.refusals);
  };
  return {
    problem: (object) => update(object, 'read'),
    unserved: (service, refusals) =>
      update({ kind: 'Service', key: service, source: 'health-check', refusals }, 'health-check'),
    passed: (outcome, view) => {
      const refused = outcome.execution.failed.length === 0 ? [] : view.quarantined.byService.keys();
      const others = new Set([...outcome.rivals, ...refused]);
      // What is said of a Service is what holds when it is said.
      const look = (service: string): void => {
        const refusals = refusalsIn(view, service);
        update({ kind: 'Service', key: service, source: 'compile', refusals }, 'compile');
      };
      return lookInSteps([outcome.services, others], look);
    },
  };
}

/** A start asks for all. */
function* lookInSteps(lists: readonly Iterable<string>[], look: (service: string) => void): Steps<void> {
  let looked = 0;
  for (const services of lists) {
    for (const service of services) {
      look(service);
      if (endsStep(looked, lookedAtOnce)) {
        yield;
      }
      looked += 1;
    }
  }
}

const lookedAtOnce = 250;

/** A Service whose hundred frontends all belong to another one has one thing to say, not a hundred. */
function tellByReason(
  object: ObjectRefusals,
  fresh: readonly Refusal[],
  onRefused: (refused: NewRefusal) => void,
): void {
  const firsts = new Map<Reason, { readonly refusal: Refusal; more: number }>();
  for (const refusal of fresh) {
    const first = firsts.get(refusal.reason);
    if (first === undefined) {
      firsts.set(refusal.reason, { refusal, more: 0 });
    } else {
      first.more += 1;
    }
  }
  firsts.forEach((first) => onRefused({ object, ...first }));
}

function replace(known: Map<string, readonly Refusal[]>, name: string, refusals: readonly Refusal[]): void {
  if (refusals.length === 0) {
    known.delete(name);
  } else {
    known.set(name, refusals);
  }
}

interface Totals {
  move(before: readonly Refusal[], after: readonly Refusal[]): void;
}

/** A reason that was there once stays, at 0, so that its end can be seen. */
function countByReason(metrics: Metrics): Totals {
  const totals = new Map<Reason, number>();
  const add = (refusals: readonly Refusal[], amount: number): void => {
    for (const { reason } of refusals) {
      const total = (totals.get(reason) ?? 0) + amount;
      totals.set(reason, total);
      metrics.refusals.set({ reason }, total);
    }
  };
  return {
    move: (before, after) => {
      add(before, -1);
      add(after, 1);
    },
  };
}

function textOf(refusal: Refusal): string {
  return `${refusal.reason} ${refusal.subject} ${refusal.found}`;
}
