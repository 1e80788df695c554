/** Carries VIP operations out step by step, one message to a step. */

import { familyOf } from '../../core/address.ts';
import type { VipOperation } from '../../core/model/operation.ts';
import type { VipMode } from '../../core/model/vip.ts';
import { type ErrnoCode, KernelError } from '../error.ts';
import { type Batch, resetBatch } from '../netlink/batch.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { type MessageFailure, transact } from '../netlink/transact.ts';
import type { OperationFailure } from '../ports.ts';

/** Where VIPs are. */
export interface VipTarget {
  readonly socket: NetlinkSocket;
  /** Reused between calls. */
  readonly batch: Batch;
  readonly interfaceIndex: number;
  readonly mode: VipMode;
  readonly steeringMark: number;
}

/** What is being carried out, and what was refused of it. */
export interface Run {
  readonly target: VipTarget;
  readonly failures: Map<number, OperationFailure>;
  unknown: boolean;
}

/** An operation with its place in the list that was given. */
export interface Numbered {
  readonly index: number;
  readonly operation: VipOperation;
}

/** A refused message of an operation. */
export interface Refused {
  readonly entry: Numbered;
  readonly code: ErrnoCode;
}

/** One message: how it is written, and the refusals that mean that the kernel already is as wanted. */
export interface Step {
  readonly name: string;
  readonly put: (batch: Batch, interfaceIndex: number, operation: VipOperation) => void;
  readonly tolerated: readonly ErrnoCode[];
}

/** Sends `steps` for each operation. Brings back every refusal, also those that are no failures. */
export function perform(run: Run, numbered: readonly Numbered[], steps: readonly Step[]): readonly Refused[] {
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

/** Those of which nothing failed so far. */
export function succeeded(run: Run, entries: readonly Numbered[]): readonly Numbered[] {
  return entries.filter(({ index }) => !run.failures.has(index));
}

/** The address that an operation is about. */
export function addressOf(operation: VipOperation): string {
  return operation.kind === 'add-vip' ? operation.vip.address : operation.address;
}

/** Whether an operation is about an IPv6 address. */
export function isIPv6(entry: Numbered): boolean {
  return familyOf(addressOf(entry.operation)) === 'IPv6';
}

/** The first refusal of an operation tells the most. */
function noteFailure(run: Run, entry: Numbered, step: Step, failure: MessageFailure): void {
  if (run.failures.has(entry.index)) return;
  const operation = `${step.name} ${addressOf(entry.operation)}`;
  const error = new KernelError(operation, failure.errno, { extendedAck: failure.extendedAck });
  run.failures.set(entry.index, { index: entry.index, error });
}
