/** Logs each refused part of an object once, when it first appears, and keeps the count by reason. */

import { isAudited, type Reason, type Refusal } from '../../core/model/reason.ts';
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
  /** Refused while compiling it or by the kernel: looked at after passes that compiled something or failed. */
  passed(outcome: PassOutcome, view: ReconcilerView): void;
}

export function createRefusalLog(log: Log, metrics: Metrics): RefusalLog {
  const known = new Map<string, readonly Refusal[]>();
  const totals = countByReason(metrics);
  const update = (object: ObjectRefusals, origin: string): void => {
    const name = `${origin} ${object.kind} ${object.key}`;
    const before = new Set((known.get(name) ?? []).map(textOf));
    for (const refusal of object.refusals.filter((each) => !before.has(textOf(each)))) {
      const what = isAudited(refusal.reason) ? 'programmed, but reported' : 'refused';
      log.warn({ object: `${object.kind} ${object.key}`, source: object.source, ...refusal }, what);
    }
    totals.move(known.get(name) ?? [], object.refusals);
    replace(known, name, object.refusals);
  };
  return {
    problem: (object) => update(object, 'read'),
    unserved: (service, refusals) =>
      update({ kind: 'Service', key: service, source: 'health-check', refusals }, 'health-check'),
    passed: (outcome, view) => {
      const refused = outcome.execution.failed.length === 0 ? [] : view.quarantined.byService.keys();
      for (const service of new Set([...outcome.services, ...outcome.rivals, ...refused])) {
        const refusals = refusalsIn(view, service);
        update({ kind: 'Service', key: service, source: 'compile', refusals }, 'compile');
      }
    },
  };
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
