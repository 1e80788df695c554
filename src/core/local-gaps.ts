/** Where a Local policy finds no endpoint on this node, though there are some elsewhere. */

import { isExternallyAccessible } from './endpoints.ts';
import type { Family, ServiceFact, ServicePortFact } from './model/facts.ts';
import type { LocalGap } from './model/resource.ts';
import type { PortView } from './port-view.ts';

/** Services count, not ports: each policy once. */
export function localGapsOf(
  service: ServiceFact,
  views: readonly { readonly port: ServicePortFact; readonly view: PortView }[],
  family: Family,
): readonly LocalGap[] {
  const gaping = views.filter(({ view: { selection } }) => selection.hasAny && selection.local.length === 0);
  const isInternal = gaping.some(({ view }) => view.internalLocal);
  const isExternal = gaping.some(({ port, view }) => view.externalLocal && isExternallyAccessible(service, port));
  return [
    ...(isInternal ? [{ policy: 'internal', family } as const] : []),
    ...(isExternal ? [{ policy: 'external', family } as const] : []),
  ];
}
