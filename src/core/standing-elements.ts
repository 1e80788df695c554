/** What the filter holds for no Service in particular: which sources are pods, which addresses are for Services. */

import { formatCIDR } from './address.ts';
import type { CompileContext } from './model/context.ts';
import type { FilterElement } from './model/filter-element.ts';
import { withoutNested } from './ranges.ts';

export function standingElements({ podSources, serviceCIDRs }: CompileContext): readonly FilterElement[] {
  return [
    ...withoutNested(podSources).map((cidr): FilterElement => ({ set: 'pod_sources', range: formatCIDR(cidr) })),
    ...withoutNested(serviceCIDRs).map((cidr): FilterElement => ({ set: 'service_ranges', range: formatCIDR(cidr) })),
  ];
}
