/** In which phase of a plan an element of the filter comes, and in which it goes. See `Plan`. */

import type { Desired } from './desired.ts';
import { filterElementKey, frontendKey } from './keys.ts';
import { type FilterElement, isViewElement } from './model/filter-element.ts';

export function phaseToAdd(element: FilterElement): 'claim' | 'guard' {
  return element.set === 'vips' || element.set === 'direct_return' || isViewElement(element) ? 'guard' : 'claim';
}

/**
 * A range leaves in the transaction that brings the new ones, so that nobody is refused in between; with its
 * restriction it goes only after the destinations that were restricted. While its frontend stays, what kept packets away
 * from the virtual server's new destinations leaves as soon as these are there. Masquerade leaves only after the
 * destinations that needed it have lost their weight. When the frontend goes, its guards outlive the virtual server,
 * since a node port answers without a VIP, and the elements of the VIP outlive the VIP.
 */
export function phaseToRemove(element: FilterElement, desired: Desired): 'claim' | 'guard' | 'unguard' | 'disclaim' {
  switch (element.set) {
    case 'pod_sources':
    case 'service_ranges':
      return 'claim';
    case 'virtual_servers':
    case 'fwmarks':
    case 'hairpin':
      return 'disclaim';
    case 'masquerade':
    case 'masquerade_outside':
    case 'restricted':
      return stays(element, desired) ? 'unguard' : 'disclaim';
    case 'allowed_sources':
      if (!stays(element, desired)) {
        return 'disclaim';
      }
      return desired.resources.has(filterElementKey({ ...element, set: 'restricted' })) ? 'claim' : 'unguard';
    case 'drop':
    case 'drop_outside':
      return stays(element, desired) ? 'guard' : 'disclaim';
    case 'inside_view':
    case 'direct_view':
      return stays(element, desired) ? 'guard' : 'unguard';
    case 'vips':
    case 'direct_return':
    case 'health_check':
      return 'unguard';
  }
}

/** Whether the virtual server of the element's frontend is wanted. */
function stays(element: Extract<FilterElement, { readonly port: number }>, { resources }: Desired): boolean {
  return resources.has(frontendKey(element.protocol, element.address, element.port));
}
