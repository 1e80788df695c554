/** ServiceCIDR (networking.k8s.io/v1) → ServiceCIDRFact. */

import type { Refusal } from '../../core/model/reason.ts';
import { readCIDRs } from './cidrs.ts';
import { readObject, requireName, requireObject } from './json.ts';
import { type Projection, projectSafely } from './projection.ts';

/** Never throws, whatever `raw` is. */
export function projectServiceCIDR(raw: unknown): Projection {
  return projectSafely(
    () => requireName(requireObject(requireObject(raw, 'object')['metadata'], 'metadata')['name'], 'metadata.name'),
    (key) => {
      const refusals: Refusal[] = [];
      const spec = readObject(requireObject(raw, 'object')['spec'], 'spec');
      const fact = { key, cidrs: readCIDRs(spec['cidrs'], 'spec.cidrs', refusals) };
      return { result: 'fact', key, object: { kind: 'ServiceCIDR', fact }, refusals };
    },
  );
}
