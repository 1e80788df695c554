import type { KernelError } from '../error.ts';
import type { Batch } from './batch.ts';
import { type NetlinkSocket, takeSequences } from './socket.ts';
import { exchangeSpan, type MessageFailure, takeSpan, unknownCause } from './span.ts';

export type { MessageFailure } from './span.ts';

/** What became of a batch. */
export type BatchOutcome =
  /** Every message was handled; those not among the failures took effect. */
  | { readonly state: 'known'; readonly failures: readonly MessageFailure[] }
  /**
   * Answers were lost (ENOBUFS), late or unreadable, or a send failed. Messages before `firstUnknown` are settled as
   * above; of those from it on it is unknown whether they were handled: re-read what they touch.
   */
  | {
      readonly state: 'unknown';
      readonly failures: readonly MessageFailure[];
      readonly firstUnknown: number;
      readonly cause: KernelError;
    };

/** How a batch is sent. */
export interface TransactOptions {
  /** Longest send in bytes; 64 KiB unless given. A single longer message is sent alone. */
  readonly sendBytes?: number;
}

/**
 * Sends a batch in pieces of at most 64 KiB and collects what the kernel refused. Only the last message of each piece
 * asks for an acknowledgement: the kernel handles a piece in order inside the send, and a message that fails answers
 * anyway, so everything is known once the last answer is in. A refused message stops none of the others. Never throws
 * for what the kernel says; throws for a closed socket. The batch is left as it is, but for sequence numbers.
 */
export function transact(socket: NetlinkSocket, batch: Batch, options: TransactOptions = {}): BatchOutcome {
  const failures: MessageFailure[] = [];
  const sequence = takeSequences(socket, batch.messageCount);
  const longestBytes = options.sendBytes ?? 65536;
  let start = 0;
  let first = 0;
  while (start < batch.length) {
    const span = takeSpan(batch, { start, first, sequence: sequence + first, longestBytes });
    const { count, last: acknowledged } = span;
    try {
      exchangeSpan(socket, batch, span, { acknowledged, failures, isLast: (index) => index === count - 1 });
    } catch (thrown) {
      const cause = unknownCause('netlink batch', thrown);
      return { state: 'unknown', failures: failures.filter((each) => each.index < first), firstUnknown: first, cause };
    }
    start = span.end;
    first += span.count;
  }
  return { state: 'known', failures };
}
