/**
 * Carries a plan out, phase by phase. A failed operation never stops the others, except those that would be unsafe
 * without it (`withhold.ts`).
 */

import { resourceKeyOf } from '../core/actual.ts';
import { filterElementKey } from '../core/keys.ts';
import { LargeList } from '../core/large-list.ts';
import type {
  FilterOperation,
  IpvsOperation,
  LargePlan,
  Operation,
  Plan,
  VipOperation,
} from '../core/model/operation.ts';
import { phases } from '../core/plan.ts';
import type { Steps } from '../core/steps.ts';
import { type Execution, emptyRun, type FailedOperation, type Run, type SmallExecution } from './execution.ts';
import { piecesOf } from './pieces.ts';
import type { ApplyResult, FilterPort, IpvsPort, LinkPort } from './ports.ts';
import { otherVerb, remedyFor } from './remedy.ts';
import { guardedOnly, securedOnly, unneededOnly, unreachedOnly } from './withhold.ts';

export interface KernelPorts {
  readonly ipvs: IpvsPort;
  readonly link: LinkPort;
  readonly filter: FilterPort;
}

export function executePlan(plan: Plan, ports: KernelPorts): SmallExecution {
  const run = emptyRun<Operation[]>([]);
  for (const phase of phases) {
    executePhase(run, plan, phase, ports);
  }
  return run;
}

/** The same in steps: nobody else may write to these ports between them. */
export function* executeSteps(plan: LargePlan, ports: KernelPorts): Steps<Execution> {
  const run = emptyRun(new LargeList<Operation>());
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
