/**
 * Carries a plan out, phase by phase. A failed operation never stops the others, except those that would be unsafe
 * without it: a virtual server whose ownership could not be recorded is not made, a VIP whose guards do not stand is
 * not exposed.
 */

import { ownershipKey, resourceKeyOf } from '../core/actual.ts';
import { filterElementKey } from '../core/keys.ts';
import type { FilterOperation, IpvsOperation, Operation, Plan, VipOperation } from '../core/model/operation.ts';
import { phases } from '../core/plan.ts';
import type { KernelError } from './error.ts';
import type { ApplyResult, FilterPort, IpvsPort, LinkPort } from './ports.ts';
import { type Remedy, remedyFor } from './remedy.ts';

export interface KernelPorts {
  readonly ipvs: IpvsPort;
  readonly link: LinkPort;
  readonly filter: FilterPort;
}

export interface FailedOperation {
  readonly operation: Operation;
  readonly error: KernelError;
  readonly remedy: Remedy;
}

export interface Execution {
  /** Operations now in force, in the order in which they were carried out. */
  readonly performed: readonly Operation[];
  readonly failed: readonly FailedOperation[];
  /** Not attempted because something they rest on failed. */
  readonly withheld: readonly Operation[];
  /** Replies were lost or the kernel contradicts what was believed: read everything again. */
  readonly isUncertain: boolean;
}

export function executePlan(plan: Plan, ports: KernelPorts): Execution {
  const run: Run = {
    performed: [],
    failed: [],
    withheld: [],
    isUncertain: false,
    unguarded: new Set(),
    unmade: new Set(),
    blind: false,
  };
  for (const phase of phases) {
    switch (phase) {
      case 'claim':
      case 'guard':
      case 'unguard':
      case 'disclaim':
        applyFilter(run, plan[phase], ports.filter);
        break;
      case 'make':
        applyIpvs(run, ownedOnly(run, plan.make), ports.ipvs);
        break;
      case 'quiesce':
      case 'remove':
        applyIpvs(run, plan[phase], ports.ipvs);
        break;
      case 'expose':
        applyVips(run, guardedOnly(run, plan.expose), ports.link);
        break;
      case 'hide':
        applyVips(run, plan.hide, ports.link);
        break;
    }
  }
  return run;
}

interface Run extends Execution {
  readonly performed: Operation[];
  readonly failed: FailedOperation[];
  readonly withheld: Operation[];
  isUncertain: boolean;
  /** Keys of elements that were to be added and are not there. */
  readonly unguarded: Set<string>;
  /** Keys of virtual servers that were to be added and are not there: their destinations fail for that reason alone. */
  readonly unmade: Set<string>;
  /** It is not known which elements stand. */
  blind: boolean;
}

function applyFilter(run: Run, operations: readonly FilterOperation[], port: FilterPort): void {
  if (operations.length === 0) {
    return;
  }
  const result = port.apply(operations);
  run.blind ||= result.unknown;
  for (const { index } of result.failures) {
    const operation = operations[index];
    if (operation?.kind === 'add-element') {
      run.unguarded.add(filterElementKey(operation.element));
    }
  }
  collect(run, operations, result);
}

function applyVips(run: Run, operations: readonly VipOperation[], port: LinkPort): void {
  if (operations.length > 0) {
    collect(run, operations, port.apply(operations));
  }
}

/** IPVS operations with a second attempt for those whose remedy is the other verb. */
function applyIpvs(run: Run, operations: readonly IpvsOperation[], port: IpvsPort): void {
  if (operations.length === 0) {
    return;
  }
  const result = port.apply(operations);
  const turned: IpvsOperation[] = [];
  const failures = result.failures.filter(({ index, error }) => {
    const other = otherVerb(operations[index], error);
    if (other !== undefined) {
      turned.push(other);
    }
    return other === undefined;
  });
  collect(run, operations, { failures, unknown: result.unknown });
  if (turned.length > 0) {
    // Somebody else changed the table: what is believed about it is due for a reading.
    run.isUncertain = true;
    collect(run, turned, port.apply(turned));
  }
}

function otherVerb(operation: IpvsOperation | undefined, error: KernelError): IpvsOperation | undefined {
  if (operation === undefined) {
    return undefined;
  }
  const remedy = remedyFor(operation.kind, error.code);
  if (remedy === 'edit-instead') {
    if (operation.kind === 'add-virtual-server') {
      return { kind: 'edit-virtual-server', server: operation.server };
    }
    return operation.kind === 'add-destination' ? { ...operation, kind: 'edit-destination' } : undefined;
  }
  return remedy === 'add-instead' && operation.kind === 'edit-destination'
    ? { ...operation, kind: 'add-destination' }
    : undefined;
}

function collect(run: Run, operations: readonly Operation[], result: ApplyResult): void {
  run.isUncertain ||= result.unknown;
  const failures = new Map(result.failures.map(({ index, error }) => [index, error]));
  for (const [index, operation] of operations.entries()) {
    const error = failures.size === 0 ? undefined : failures.get(index);
    const remedy = error === undefined ? 'done' : remedyFor(operation.kind, error.code);
    if (error === undefined || remedy === 'done') {
      run.performed.push(operation);
    } else if (operation.kind === 'add-destination' && run.unmade.has(resourceKeyOf(operation))) {
      run.withheld.push(operation);
    } else {
      fail(run, { operation, error, remedy });
    }
  }
}

function fail(run: Run, failure: FailedOperation): void {
  run.failed.push(failure);
  run.isUncertain ||= failure.remedy === 'read-again';
  if (failure.operation.kind === 'add-virtual-server') {
    run.unmade.add(resourceKeyOf(failure.operation));
  }
}

function ownedOnly(run: Run, operations: readonly IpvsOperation[]): readonly IpvsOperation[] {
  return withhold(run, operations, (operation) => {
    const identity = 'server' in operation ? operation.server.identity : operation.identity;
    return run.unguarded.has(ownershipKey(identity));
  });
}

/** A VIP is exposed only when every element of this pass that names its address stands. */
function guardedOnly(run: Run, operations: readonly VipOperation[]): readonly VipOperation[] {
  const addresses = new Set<string>();
  for (const { operation } of run.failed) {
    if (operation.kind === 'add-element' && operation.element.set !== 'fwmarks') {
      addresses.add(operation.element.address);
    }
  }
  return withhold(run, operations, (operation) => {
    return operation.kind === 'add-vip' && addresses.has(operation.vip.address);
  });
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
