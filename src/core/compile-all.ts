/** All Services at once, from nothing: what the node should hold. The agent compiles only what changed. */

import type { Actual } from './actual.ts';
import { compileService } from './compile.ts';
import { bySeniority, type DesiredStore, emptyDesired, setContribution, setStanding } from './desired.ts';
import { type Facts, slicesOf } from './facts.ts';
import { emptyMarks, openMarks } from './marks.ts';
import type { CompileContext } from './model/context.ts';
import { standingElements } from './standing-elements.ts';

export interface CompileAllInput {
  readonly facts: Facts;
  readonly context: CompileContext;
  readonly fwmarkMask: number;
}

/** `actual` says which marks the kernel has given out already. */
export function compileAll({ facts, context, fwmarkMask }: CompileAllInput, actual: Actual): DesiredStore {
  const desired = emptyDesired();
  setStanding(desired, standingElements(context));
  const marks = emptyMarks(fwmarkMask);
  for (const service of bySeniority(facts.services.values())) {
    const session = openMarks(marks, () => actual, service.key);
    const slices = slicesOf(facts, service.key);
    const contribution = compileService({
      service,
      slices,
      context,
      addresses: facts.addresses,
      last: undefined,
      markOf: session.markOf,
    });
    session.settle();
    setContribution(desired, service.key, contribution);
  }
  return desired;
}
