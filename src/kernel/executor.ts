/**
 * Carries a plan out, phase by phase. A failed operation never stops the others, except those that would be unsafe
 * without it: a virtual server whose record or masquerade does not stand gets nothing, a VIP whose guards do not stand
 * is not exposed, and as long as a VIP or a virtual server cannot be removed its guards and its record stay.
 */

import { ownershipKey, resourceKeyOf, vipKey } from '../core/actual.ts';
import { filterElementFamily, filterElementKey, virtualServerKey } from '../core/keys.ts';
import { type FilterElement, isViewElement } from '../core/model/filter-element.ts';
import type { FilterOperation, IpvsOperation, Operation, Plan, VipOperation } from '../core/model/operation.ts';
import type { VirtualServerIdentity } from '../core/model/virtual-server.ts';
import { phases } from '../core/plan.ts';
import type { Steps } from '../core/steps.ts';
import type { KernelError } from './error.ts';
import { piecesOf } from './pieces.ts';
import type { ApplyResult, FilterPort, IpvsPort, LinkPort } from './ports.ts';
import { otherVerb, type Remedy, remedyFor } from './remedy.ts';

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
  const run = emptyRun();
  for (const phase of phases) {
    executePhase(run, plan, phase, ports);
  }
  return run;
}

/** The same in steps: nobody else may write to these ports between them. */
export function* executeSteps(plan: Plan, ports: KernelPorts): Steps<Execution> {
  const run = emptyRun();
  for (const phase of phases) {
    for (const piece of piecesOf(plan, phase)) {
      executePhase(run, piece, phase, ports);
      yield;
    }
  }
  return run;
}

function executePhase(run: Run, plan: Plan, phase: keyof Plan, ports: KernelPorts): void {
  switch (phase) {
    case 'claim':
    case 'guard':
      applyFilter(run, plan[phase], ports.filter);
      break;
    case 'unguard':
    case 'disclaim':
      applyFilter(run, unneededOnly(run, plan[phase]), ports.filter);
      break;
    case 'make':
      applyIpvs(run, securedOnly(run, plan.make), ports.ipvs);
      break;
    case 'quiesce':
      applyIpvs(run, plan.quiesce, ports.ipvs);
      break;
    case 'remove':
      applyIpvs(run, unreachedOnly(run, plan.remove), ports.ipvs);
      break;
    case 'expose':
      applyVips(run, guardedOnly(run, plan.expose), ports.link);
      break;
    case 'hide':
      applyVips(run, plan.hide, ports.link);
      break;
  }
}

function emptyRun(): Run {
  return {
    performed: [],
    failed: [],
    withheld: [],
    isUncertain: false,
    unguarded: new Set(),
    unmade: new Set(),
    blind: false,
    remaining: new Set(),
  };
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
  /** Resource keys of VIPs and virtual servers that were to be removed and are still there, or may be. */
  readonly remaining: Set<string>;
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
  const first = port.apply(operations);
  const turned = new Map<number, IpvsOperation>();
  for (const { index, error } of first.failures) {
    const other = otherVerb(operations[index], error);
    if (other !== undefined) {
      turned.set(index, other);
    }
  }
  if (turned.size === 0) {
    collect(run, operations, first);
    return;
  }
  const second = port.apply([...turned.values()]);
  const places = [...turned.keys()];
  const failures = [
    ...first.failures.filter(({ index }) => !turned.has(index)),
    ...second.failures.map(({ index, error }) => ({ index: places[index] ?? index, error })),
  ];
  // Somebody else changed the table: what is believed about it is due for a reading.
  run.isUncertain = true;
  const attempted = operations.map((operation, index) => turned.get(index) ?? operation);
  collect(run, attempted, { failures, unknown: first.unknown || second.unknown });
}

function collect(run: Run, operations: readonly Operation[], result: ApplyResult): void {
  run.isUncertain ||= result.unknown;
  if (result.failures.length === 0 && !result.unknown) {
    for (const operation of operations) {
      run.performed.push(operation);
    }
    return;
  }
  const failures = new Map(result.failures.map(({ index, error }) => [index, error]));
  for (const [index, operation] of operations.entries()) {
    const error = failures.get(index);
    const remedy = error === undefined ? 'done' : remedyFor(operation.kind, error.code);
    if (isRemoval(operation) && (result.unknown || remedy !== 'done')) {
      run.remaining.add(resourceKeyOf(operation));
    }
    if (error === undefined || remedy === 'done') {
      run.performed.push(operation);
    } else if (operation.kind === 'add-destination' && run.unmade.has(resourceKeyOf(operation))) {
      run.withheld.push(operation);
    } else {
      fail(run, { operation, error, remedy });
    }
  }
}

function isRemoval(operation: Operation): boolean {
  return operation.kind === 'remove-vip' || operation.kind === 'remove-virtual-server';
}

function fail(run: Run, failure: FailedOperation): void {
  run.failed.push(failure);
  run.isUncertain ||= failure.remedy === 'read-again';
  if (failure.operation.kind === 'add-virtual-server') {
    run.unmade.add(resourceKeyOf(failure.operation));
  }
}

function securedOnly(run: Run, operations: readonly IpvsOperation[]): readonly IpvsOperation[] {
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
function guardedOnly(run: Run, operations: readonly VipOperation[]): readonly VipOperation[] {
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
function unreachedOnly(run: Run, operations: readonly IpvsOperation[]): readonly IpvsOperation[] {
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
function unneededOnly(run: Run, operations: readonly FilterOperation[]): readonly FilterOperation[] {
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
