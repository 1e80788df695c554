/**
 * Stable, sorted text of what is wanted in the kernel and of what is there. The two are equal when the kernel holds what it should;
 * draining destinations and what belongs to others stand apart.
 */

import { type Actual, type ActualVirtualServer, ownershipKey } from './actual.ts';
import type { Desired } from './desired.ts';
import { findDestination } from './destinations.ts';
import { destinationKey, filterElementKey, virtualServerKey } from './keys.ts';
import { type FilterElement, isViewElement } from './model/filter-element.ts';
import type { Vip } from './model/vip.ts';
import type { Destinations, VirtualServer } from './model/virtual-server.ts';
import { drains } from './plan.ts';

export function renderDesired(desired: Desired): string {
  const lines: string[] = [];
  for (const resource of desired.resources.values()) {
    switch (resource.kind) {
      case 'virtual-server':
        lines.push(...serverLines(resource.value.server, resource.value.destinations));
        break;
      case 'vip':
        lines.push(vipLine(resource.value));
        break;
      case 'element':
        lines.push(elementLine(resource.value));
        break;
      case 'health-check':
      case 'pod-tunnel':
        break;
    }
  }
  return lines.sort().join('\n');
}

/** What is sluice's in the kernel, without destinations that drain. */
export function renderActual(actual: Actual, desired: Desired): string {
  const lines: string[] = [];
  for (const [key, there] of actual.virtualServers) {
    if (actual.elements.has(ownershipKey(there.server.identity))) {
      lines.push(...serverLines(there.server, settled(there, desired, key)));
    }
  }
  for (const vip of actual.vips.values()) {
    if (actual.elements.has(`vips ${vip.address}`)) {
      lines.push(vipLine(vip));
    }
  }
  for (const element of actual.elements.values()) {
    lines.push(elementLine(element));
  }
  return lines.sort().join('\n');
}

function settled(there: ActualVirtualServer, desired: Desired, key: string): Destinations {
  const wanted = desired.resources.get(key);
  if (wanted?.kind !== 'virtual-server' || !drains(wanted.value.protocol)) {
    return there.destinations;
  }
  return there.destinations.filter(
    (each) => each.weight !== 0 || findDestination(wanted.value.destinations, destinationKey(each)) !== undefined,
  );
}

function serverLines(server: VirtualServer, destinations: Destinations): readonly string[] {
  const key = virtualServerKey(server.identity);
  const head = `${key} ${server.scheduler} flags ${server.flags} timeout ${server.timeoutSeconds} /${server.prefixLength}`;
  const rest = destinations.map((to) => `${key} -> ${to.address} ${to.port} ${to.forwarding} weight ${to.weight}`);
  return [head, ...rest];
}

function vipLine(vip: Vip): string {
  return `vip ${vip.address} source ${vip.source ?? 'none'}`;
}

function elementLine(element: FilterElement): string {
  return isViewElement(element) ? `${filterElementKey(element)} : ${element.mark}` : filterElementKey(element);
}
