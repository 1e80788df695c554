/** Keeps the number of Services whose Local policy finds no endpoint on this node. */

import { families } from '../../core/model/facts.ts';
import { type LocalGap, localGapPolicies } from '../../core/model/resource.ts';
import { endsStep, type Steps } from '../../core/steps.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { PassOutcome, ReconcilerView } from '../reconciler/state.ts';

/** Looks at the Services of each pass it is given, and at no other, in steps: a start asks for all. */
export function countLocalGaps(metrics: Metrics): (outcome: PassOutcome, view: ReconcilerView) => Steps<void> {
  const known = new Map<string, readonly LocalGap[]>();
  const totals = new Map<string, number>();
  const add = (gaps: readonly LocalGap[], amount: number): void => {
    for (const gap of gaps) {
      totals.set(nameOf(gap), (totals.get(nameOf(gap)) ?? 0) + amount);
    }
  };
  return function* ({ services }, { desired }) {
    let looked = 0;
    for (const service of services) {
      const gaps = desired.contributions.get(service)?.localGaps ?? [];
      add(known.get(service) ?? [], -1);
      add(gaps, 1);
      if (gaps.length === 0) {
        known.delete(service);
      } else {
        known.set(service, gaps);
      }
      if (endsStep(looked, lookedAtOnce)) {
        yield;
      }
      looked += 1;
    }
    for (const policy of localGapPolicies) {
      for (const family of families) {
        const total = totals.get(nameOf({ policy, family })) ?? 0;
        metrics.noLocalEndpoints.set({ traffic_policy: policy, ip_family: family }, total);
      }
    }
  };
}

const lookedAtOnce = 1_000;

function nameOf({ policy, family }: LocalGap): string {
  return `${policy} ${family}`;
}
