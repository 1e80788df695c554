/**
 * Carries element operations out in transactions. Operations on the same set share messages. A refused message is sent
 * again one element to a message: the kernel goes through a whole transaction before it gives it up, so one more attempt
 * names every refused element (nfnetlink_rcv_batch in net/netfilter/nfnetlink.c). These are left out, the rest goes in.
 */

import { filterElementKey } from '../../core/keys.ts';
import { isViewElement } from '../../core/model/filter-element.ts';
import type { FilterOperation } from '../../core/model/operation.ts';
import { type ErrnoCode, KernelError } from '../error.ts';
import { type Batch, resetBatch } from '../netlink/batch.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import type { MessageFailure } from '../netlink/transact.ts';
import { beginTransaction, commitTransaction, endTransaction } from '../netlink/transaction.ts';
import type { ApplyResult, OperationFailure } from '../ports.ts';
import { NFNL_SUBSYS_NFTABLES } from './constants.ts';
import { type ElementVerb, putElements } from './encode-element.ts';
import { layoutOf, type SetLayout } from './set-layout.ts';

/**
 * Operations in one transaction. More are split: one send is bounded by the socket's send buffer, and the kernel holds
 * its commit lock for the length of a transaction.
 */
export const transactionOperations = 20_000;

/** Elements in one message: few enough that a refused one costs little to look into. */
const messageElements = 512;

/** Each attempt settles the operations that the one before could not; others' changes in between may add to them. */
const maximumAttempts = 8;

/** An open nfnetlink socket and a reused batch. */
export interface ElementTarget {
  readonly socket: NetlinkSocket;
  readonly batch: Batch;
}

/** Applies the operations as if in order. */
export function applyElements(target: ElementTarget, operations: readonly FilterOperation[]): ApplyResult {
  const failures: OperationFailure[] = [];
  let unknown = false;
  const indexes = withoutOverridden(operations);
  for (let start = 0; start < indexes.length; start += transactionOperations) {
    const fresh = group(operations, indexes.slice(start, start + transactionOperations));
    if (!settle({ target, failures, operations, fresh })) unknown = true;
  }
  return { failures: failures.sort((a, b) => a.index - b.index), unknown };
}

/** Operations that share a message. */
interface Message {
  readonly verb: ElementVerb;
  readonly set: SetLayout;
  /** In the list of operations that was given. */
  readonly indexes: readonly number[];
  /** Of one operation: the map holds the key with another mark, which is removed first. */
  readonly replaces: boolean;
}

interface Run {
  readonly target: ElementTarget;
  readonly operations: readonly FilterOperation[];
  readonly failures: OperationFailure[];
  fresh: readonly Message[];
}

/** Sends until a transaction is accepted or nothing is left of it. False when an answer was lost. */
function settle(run: Run): boolean {
  let messages = run.fresh;
  for (let attempt = 1; messages.length > 0; attempt += 1) {
    const { batch, socket } = run.target;
    const order = writeTransaction(batch, run.operations, messages);
    const outcome = commitTransaction(socket, batch);
    if (outcome.state === 'committed') return true;
    if (outcome.state === 'unknown') return fail(run, messages, outcome.cause);
    const own = outcome.failures.find((failure) => failure.index === 0);
    const last = attempt === maximumAttempts ? outcome.failures[0] : own;
    if (last !== undefined) {
      fail(run, messages, refusal('change elements', last));
      return true;
    }
    messages = withoutRefused(run, messages, refusedMessages(order, outcome.failures));
  }
  return true;
}

function fail(run: Run, messages: readonly Message[], error: KernelError): false {
  for (const { indexes } of messages) {
    for (const index of indexes) run.failures.push({ index, error });
  }
  return false;
}

/** Writes the messages and says, for each message of the batch, which of `messages` it belongs to. */
function writeTransaction(
  batch: Batch,
  operations: readonly FilterOperation[],
  messages: readonly Message[],
): readonly (Message | undefined)[] {
  resetBatch(batch);
  beginTransaction(batch, NFNL_SUBSYS_NFTABLES);
  const order: (Message | undefined)[] = [undefined];
  for (const message of messages) {
    const { indexes, verb, set } = message;
    if (message.replaces) {
      putElements(batch, 'remove', set, { operations, indexes, from: 0 });
      order.push(message);
    }
    for (let from = 0; from < indexes.length; ) {
      from = putElements(batch, verb, set, { operations, indexes, from });
      order.push(message);
    }
  }
  endTransaction(batch, NFNL_SUBSYS_NFTABLES);
  return order;
}

function refusedMessages(
  order: readonly (Message | undefined)[],
  failures: readonly MessageFailure[],
): ReadonlyMap<Message, MessageFailure> {
  const refused = new Map<Message, MessageFailure>();
  for (const failure of failures) {
    const message = order[failure.index];
    // The first refusal counts: the one of an addition follows from that of the removal before it.
    if (message !== undefined && !refused.has(message)) refused.set(message, failure);
  }
  return refused;
}

function withoutRefused(
  run: Run,
  messages: readonly Message[],
  refused: ReadonlyMap<Message, MessageFailure>,
): readonly Message[] {
  return messages.flatMap((message) => {
    const failure = refused.get(message);
    if (failure === undefined) return [message];
    const [index] = message.indexes;
    if (index === undefined) return [];
    if (message.indexes.length > 1) return message.indexes.map((each) => ({ ...message, indexes: [each] }));
    return remedied(run, message, index, failure);
  });
}

/** What to send instead of a single refused operation: nothing, or an addition that replaces. */
function remedied(run: Run, message: Message, index: number, failure: MessageFailure): readonly Message[] {
  if (message.verb === 'remove' && failure.code === 'ENOENT') return [];
  const isAddition = message.verb === 'add';
  // The answer when a map has the key with other data: EEXIST, EBUSY for some kinds of sets (nft_add_set_elem).
  if (isAddition && message.set.isMap && isOccupied(failure.code) && !message.replaces) {
    return [{ ...message, replaces: true }];
  }
  // It went away between two attempts.
  if (isAddition && message.replaces && failure.code === 'ENOENT') {
    return [{ ...message, replaces: false }];
  }
  const element = run.operations[index]?.element;
  const operation = `${message.verb} element ${element === undefined ? index : filterElementKey(element)}`;
  run.failures.push({ index, error: refusal(operation, failure) });
  return [];
}

function isOccupied(code: ErrnoCode): boolean {
  return code === 'EEXIST' || code === 'EBUSY';
}

function refusal(operation: string, failure: MessageFailure): KernelError {
  return new KernelError(operation, failure.errno, { extendedAck: failure.extendedAck });
}

/** Removals go before additions below; an operation that a later one on the same element overrides is left out. */
function withoutOverridden(operations: readonly FilterOperation[]): readonly number[] {
  let removals = 0;
  let hasMarks = false;
  for (const { kind, element } of operations) {
    if (kind === 'remove-element') removals += 1;
    hasMarks ||= isViewElement(element);
  }
  // Additions alone, or removals alone, cannot override each other; only additions with a mark can.
  if (!hasMarks && (removals === 0 || removals === operations.length)) return [...operations.keys()];
  const last = new Map<string, number>();
  operations.forEach(({ element }, index) => last.set(filterElementKey(element), index));
  return [...last.values()];
}

/** Operations by verb and set, removals first, in messages of a limited size. */
function group(operations: readonly FilterOperation[], indexes: readonly number[]): readonly Message[] {
  const lists = new Map<SetLayout, { readonly add: number[]; readonly remove: number[] }>();
  for (const index of indexes) {
    const operation = operations[index];
    if (operation === undefined) continue;
    const set = layoutOf(operation.element);
    let list = lists.get(set);
    if (list === undefined) {
      list = { add: [], remove: [] };
      lists.set(set, list);
    }
    (operation.kind === 'add-element' ? list.add : list.remove).push(index);
  }
  return [
    ...[...lists].flatMap(([set, { remove }]) => messagesOf('remove', set, remove)),
    ...[...lists].flatMap(([set, { add }]) => messagesOf('add', set, add)),
  ];
}

function messagesOf(verb: ElementVerb, set: SetLayout, indexes: readonly number[]): readonly Message[] {
  const messages: Message[] = [];
  for (let start = 0; start < indexes.length; start += messageElements) {
    messages.push({ verb, set, indexes: indexes.slice(start, start + messageElements), replaces: false });
  }
  return messages;
}
