/**
 * What must not be carried out because something that it rests on failed: a virtual server whose record or masquerade does not
 * stand gets nothing, a VIP whose guards do not stand is not exposed, and as long as a VIP or a virtual server cannot be
 * removed its guards and its record stay.
 */

import { ownershipKey, resourceKeyOf, vipKey } from '../core/actual.ts';
import { filterElementFamily, filterElementKey, virtualServerKey } from '../core/keys.ts';
import { type FilterElement, isViewElement } from '../core/model/filter-element.ts';
import type { FilterOperation, IpvsOperation, Operation, VipOperation } from '../core/model/operation.ts';
import type { VirtualServerIdentity } from '../core/model/virtual-server.ts';
import type { Run } from './execution.ts';

export function securedOnly(run: Run, operations: readonly IpvsOperation[]): readonly IpvsOperation[] {
  return withhold(run, operations, (operation) => {
    const identity = 'server' in operation ? operation.server.identity : operation.identity;
    return keysBefore(identity).some((key) => run.unguarded.has(key));
  });
}

/** The elements that must stand before a virtual server gets a destination. */
function keysBefore(identity: VirtualServerIdentity): readonly string[] {
  const record = ownershipKey(identity);
  return identity.kind === 'fwmark'
    ? [record]
    : [record, ...guardSets.map((set) => filterElementKey({ set, ...identity }))];
}

const guardSets = ['masquerade', 'masquerade_outside', 'drop', 'drop_outside', 'restricted'] as const;

/** A VIP is exposed only when every element of this pass that names its address stands. */
export function guardedOnly(run: Run, operations: readonly VipOperation[]): readonly VipOperation[] {
  const addresses = new Set<string>();
  for (const { operation } of run.failed) {
    if (operation.kind === 'add-element' && 'address' in operation.element) {
      addresses.add(operation.element.address);
    }
  }
  return withhold(run, operations, (operation) => {
    return operation.kind === 'add-vip' && addresses.has(operation.vip.address);
  });
}

/**
 * A virtual server by firewall mark stays as long as an element leads to it: its mark would go to another Service, and with
 * it the clients of the frontend.
 */
export function unreachedOnly(run: Run, operations: readonly IpvsOperation[]): readonly IpvsOperation[] {
  const reached = new Set<string>();
  for (const { operation } of run.failed) {
    if (operation.kind === 'remove-element' && isViewElement(operation.element)) {
      const { mark } = operation.element;
      reached.add(virtualServerKey({ kind: 'fwmark', family: filterElementFamily(operation.element), mark }));
    }
  }
  const isReached = (operation: IpvsOperation): boolean =>
    operation.kind === 'remove-virtual-server' && reached.has(resourceKeyOf(operation));
  for (const operation of reached.size === 0 ? [] : operations.filter(isReached)) {
    run.withheld.push(operation);
    run.remaining.add(resourceKeyOf(operation));
  }
  return reached.size === 0 ? operations : operations.filter((operation) => !isReached(operation));
}

/** Elements leave once what they guard or record is gone. */
export function unneededOnly(run: Run, operations: readonly FilterOperation[]): readonly FilterOperation[] {
  if (run.remaining.size === 0) {
    return operations;
  }
  const isNeeded = ({ element }: FilterOperation): boolean => keysBehind(element).some((key) => run.remaining.has(key));
  run.withheld.push(...operations.filter(isNeeded));
  return operations.filter((operation) => !isNeeded(operation));
}

/** The resources for whose sake an element stands. */
function keysBehind(element: FilterElement): readonly string[] {
  switch (element.set) {
    case 'virtual_servers':
      return [virtualServerKey({ kind: 'address', ...element })];
    case 'fwmarks':
      return [virtualServerKey({ kind: 'fwmark', ...element })];
    case 'hairpin':
    case 'pod_sources':
    case 'service_ranges':
      return [];
    case 'vips':
    case 'direct_return':
      return [vipKey(element.address)];
    default:
      return [vipKey(element.address), virtualServerKey({ kind: 'address', ...element })];
  }
}

function withhold<T extends Operation>(
  run: Run,
  operations: readonly T[],
  isUnsafe: (operation: T) => boolean,
): readonly T[] {
  if (run.unguarded.size === 0 && !run.blind) {
    return operations;
  }
  const unsafe = (operation: T): boolean => run.blind || isUnsafe(operation);
  run.withheld.push(...operations.filter(unsafe));
  return operations.filter((operation) => !unsafe(operation));
}
