import type { ObjectFact } from '../../../src/core/model/facts.ts';
import { createIntern } from '../../../src/kube/project/intern.ts';
import type { Projection, ProjectionSettings } from '../../../src/kube/project/projection.ts';

export const settings: ProjectionSettings = { ownProxyNames: [], intern: createIntern() };

/** The fact; fails when the object gave none. */
export function factOf(projection: Projection): ObjectFact['fact'] {
  if (projection.result !== 'fact') {
    throw new Error(`expected a fact, got ${JSON.stringify(projection)}`);
  }
  return projection.object.fact;
}

/** `reason subject` of each refusal. */
export function refused(projection: Projection): readonly string[] {
  return projection.result === 'unconcerned'
    ? []
    : projection.refusals.map(({ reason, subject }) => `${reason} ${subject}`);
}
