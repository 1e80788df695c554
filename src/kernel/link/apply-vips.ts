/**
 * Carries VIP operations out. Whatever state a VIP was in, it is never without a local route on the way:
 *
 * - add: sluice's route; then the address; then the removal of the route that the kernel made for the address. When
 *   the route is refused (its source is no address of this node) the VIP is left as it was. The kernel makes the route
 *   of an IPv6 address later, from a work queue (addrconf_dad_work in net/ipv6/addrconf.c), so its removal is repeated
 *   until it was there.
 * - remove: the address, whose own route the kernel takes with it; then sluice's route; then what others left.
 */

import { familyOf } from '../../core/address.ts';
import type { VipOperation } from '../../core/model/operation.ts';
import type { VipMode } from '../../core/model/vip.ts';
import { type ErrnoCode, KernelError } from '../error.ts';
import { type Batch, resetBatch } from '../netlink/batch.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { type MessageFailure, transact } from '../netlink/transact.ts';
import type { ApplyResult, OperationFailure } from '../ports.ts';
import { dumpAddresses } from './dump-vips.ts';
import {
  putKernelRouteRemoval,
  putVipAddress,
  putVipAddressRemoval,
  putVipRoute,
  putVipRouteRemoval,
} from './encode-vip.ts';
import { pause } from './pause.ts';

export interface VipTarget {
  readonly socket: NetlinkSocket;
  /** Reused between calls. */
  readonly batch: Batch;
  readonly interfaceIndex: number;
  readonly mode: VipMode;
}

/** Applies operations in order of kind: routes, addresses, removals. A failing one does not stop the rest. */
export function applyVips(target: VipTarget, operations: readonly VipOperation[]): ApplyResult {
  const run: Run = { target, failures: new Map(), unknown: false };
  const order = lastOfEachAddress(operations);
  const adds = order.filter(({ operation }) => operation.kind === 'add-vip');
  perform(run, adds, routeSteps);
  if (target.mode === 'address') {
    const routed = adds.filter(({ index }) => !run.failures.has(index));
    removeLateRoutes(run, perform(run, routed, addressSteps));
  }
  const removals = order.filter(({ operation }) => operation.kind === 'remove-vip');
  removeVips(run, removals);
  return { failures: [...run.failures.values()].sort((a, b) => a.index - b.index), unknown: run.unknown };
}

interface Run {
  readonly target: VipTarget;
  readonly failures: Map<number, OperationFailure>;
  unknown: boolean;
}

interface Numbered {
  readonly index: number;
  readonly operation: VipOperation;
}

/** A refused message of an operation. */
interface Refused {
  readonly entry: Numbered;
  readonly code: ErrnoCode;
}

/** One message: how it is written, and the refusals that mean that the kernel already is as wanted. */
interface Step {
  readonly name: string;
  readonly put: (batch: Batch, interfaceIndex: number, operation: VipOperation) => void;
  readonly tolerated: readonly ErrnoCode[];
}

/** How often the kernel's routes are looked for without one being found, and the longest pause before each, in ms. */
const maximumIdleAttempts = 25;
const longestPause = 20;

const removeKernelRoute: Step = {
  name: 'remove the kernel’s route of VIP',
  put: (batch, interfaceIndex, operation) => putKernelRouteRemoval(batch, interfaceIndex, addressOf(operation)),
  tolerated: ['ESRCH'],
};

const routeSteps: readonly Step[] = [
  {
    name: 'add route of VIP',
    put: (batch, interfaceIndex, operation) => {
      if (operation.kind === 'add-vip') putVipRoute(batch, interfaceIndex, operation.vip);
    },
    tolerated: [],
  },
];

const addressSteps: readonly Step[] = [
  {
    name: 'add address of VIP',
    put: (batch, interfaceIndex, operation) => putVipAddress(batch, interfaceIndex, addressOf(operation)),
    tolerated: ['EEXIST'],
  },
  removeKernelRoute,
];

const removeRoute: Step = {
  name: 'remove route of VIP',
  put: (batch, interfaceIndex, operation) => putVipRouteRemoval(batch, interfaceIndex, addressOf(operation)),
  tolerated: ['ESRCH', 'ENODEV'],
};

const removalSteps: readonly Step[] = [
  {
    name: 'remove address of VIP',
    put: (batch, interfaceIndex, operation) => putVipAddressRemoval(batch, interfaceIndex, addressOf(operation)),
    // EAFNOSUPPORT and ENODEV: IPv6 is off on the interface or the node, so nothing of IPv6 is there.
    tolerated: ['EADDRNOTAVAIL', 'ENODEV', 'EAFNOSUPPORT'],
  },
  removeRoute,
  { ...removeKernelRoute, tolerated: ['ESRCH', 'ENODEV'] },
];

function addressOf(operation: VipOperation): string {
  return operation.kind === 'add-vip' ? operation.vip.address : operation.address;
}

/** Adds go before removals here; of several operations on one address only the last one counts, as if in order. */
function lastOfEachAddress(operations: readonly VipOperation[]): readonly Numbered[] {
  const last = new Map<string, Numbered>();
  for (const [index, operation] of operations.entries()) last.set(addressOf(operation), { index, operation });
  return [...last.values()];
}

/**
 * In route mode a VIP has an address only if it was made in address mode. What is there is looked up, because a refusal
 * for each address that is not would cost more than the removal of its route.
 */
function removeVips(run: Run, removals: readonly Numbered[]): void {
  const { socket, interfaceIndex, mode } = run.target;
  if (mode === 'address' || removals.length === 0) {
    perform(run, removals, removalSteps);
    return;
  }
  const there = dumpAddresses(socket).filter((each) => each.interfaceIndex === interfaceIndex);
  const addressed = new Set(there.map(({ address }) => address));
  const hasAddress = ({ operation }: Numbered): boolean => addressed.has(addressOf(operation));
  perform(run, removals.filter(hasAddress), removalSteps);
  perform(
    run,
    removals.filter((entry) => !hasAddress(entry)),
    [removeRoute],
  );
}

/** Routes of addresses just added that the kernel had not made yet. An audit finds those given up here. */
function removeLateRoutes(run: Run, refused: readonly Refused[]): void {
  const existing = new Set(refused.filter(({ code }) => code === 'EEXIST').map(({ entry }) => entry));
  let late = refused.filter(({ code, entry }) => code === 'ESRCH' && isIPv6(entry) && !existing.has(entry));
  for (let idle = 0; late.length > 0 && idle < maximumIdleAttempts && !run.unknown; ) {
    pause(run.target.socket, Math.min(idle + 1, longestPause));
    const before = late.length;
    late = perform(
      run,
      late.map(({ entry }) => entry),
      [removeKernelRoute],
    ).filter(({ code }) => code === 'ESRCH');
    idle = late.length < before ? 0 : idle + 1;
  }
}

function isIPv6(entry: Numbered): boolean {
  return familyOf(addressOf(entry.operation)) === 'IPv6';
}

/** Sends `steps` for each operation. Brings back every refusal, also those that are no failures. */
function perform(run: Run, numbered: readonly Numbered[], steps: readonly Step[]): readonly Refused[] {
  if (numbered.length === 0) return [];
  const { batch, socket, interfaceIndex } = run.target;
  resetBatch(batch);
  for (const { operation } of numbered) {
    for (const step of steps) step.put(batch, interfaceIndex, operation);
  }
  const outcome = transact(socket, batch);
  if (outcome.state === 'unknown') {
    run.unknown = true;
    const from = Math.floor(outcome.firstUnknown / steps.length);
    for (const { index } of numbered.slice(from)) run.failures.set(index, { index, error: outcome.cause });
  }
  return outcome.failures.flatMap((failure) => {
    const entry = numbered[Math.floor(failure.index / steps.length)];
    const step = steps[failure.index % steps.length];
    if (entry === undefined || step === undefined) return [];
    if (!step.tolerated.includes(failure.code)) noteFailure(run, entry, step, failure);
    return [{ entry, code: failure.code }];
  });
}

/** The first refusal of an operation tells the most. */
function noteFailure(run: Run, entry: Numbered, step: Step, failure: MessageFailure): void {
  if (run.failures.has(entry.index)) return;
  const operation = `${step.name} ${addressOf(entry.operation)}`;
  const error = new KernelError(operation, failure.errno, { extendedAck: failure.extendedAck });
  run.failures.set(entry.index, { index: entry.index, error });
}
