import type { KernelError } from '../error.ts';
import { putBe32 } from './attribute-writer.ts';
import { type Batch, beginMessage, endMessage, putNetfilterHeader } from './batch.ts';
import { type NetlinkSocket, takeSequences } from './socket.ts';
import { exchangeSpan, type MessageFailure, takeSpan, unknownCause } from './span.ts';

/** Messages of nfnetlink itself (include/uapi/linux/netfilter/nfnetlink.h). */
const batchBeginMessage = 0x10;
const batchEndMessage = 0x11;
const generationAttribute = 1;

/** What became of a transaction. */
export type TransactionOutcome =
  /** All of it took effect. */
  | { readonly state: 'committed' }
  /** None of it took effect. A failure with index 0 is the transaction's own: ERESTART when the generation moved on. */
  | { readonly state: 'refused'; readonly failures: readonly MessageFailure[] }
  /** The answer was lost, late or unreadable, or the send failed: read the tables anew. */
  | { readonly state: 'unknown'; readonly cause: KernelError };

/**
 * Begins a transaction of an nfnetlink subsystem (NFNL_SUBSYS_NFTABLES is 10) in an empty batch: message 0. With a
 * generation (NFTA_GEN_ID) the kernel refuses with ERESTART if anyone changed its tables since.
 */
export function beginTransaction(batch: Batch, subsystem: number, generation?: number): void {
  beginMessage(batch, batchBeginMessage, 0);
  putNetfilterHeader(batch, 0, 0, subsystem);
  if (generation !== undefined) putBe32(batch, generationAttribute, generation);
  endMessage(batch);
}

/** Ends a transaction. Messages need NLM_F_REQUEST, which `beginMessage` sets, and nothing else of their framing. */
export function endTransaction(batch: Batch, subsystem: number): void {
  beginMessage(batch, batchEndMessage, 0);
  putNetfilterHeader(batch, 0, 0, subsystem);
  endMessage(batch);
}

/**
 * Sends a transaction in one piece, as nfnetlink demands, and waits for its outcome; one that holds nothing is not
 * sent. Bounded by the send queue of the socket (EMSGSIZE, outcome unknown, nothing done). Throws for a closed socket.
 */
export function commitTransaction(socket: NetlinkSocket, batch: Batch): TransactionOutcome {
  if (batch.messageCount <= 2) return { state: 'committed' };
  const failures: MessageFailure[] = [];
  const sequence = takeSequences(socket, batch.messageCount);
  const span = takeSpan(batch, { start: 0, first: 0, sequence, longestBytes: batch.length });
  // Kernels before 6.10 acknowledge the messages between begin and end only (nfnetlink_rcv_batch).
  const lastInside = span.count - 2;
  const acknowledged = offsetOf(batch, lastInside);
  try {
    // An answer to the begin message speaks of all: no subsystem, no memory, a failed commit, another generation.
    const isLast = (index: number): boolean => index === lastInside || index === 0;
    exchangeSpan(socket, batch, span, { acknowledged, failures, isLast });
  } catch (thrown) {
    return { state: 'unknown', cause: unknownCause('nfnetlink transaction', thrown) };
  }
  return failures.length === 0 ? { state: 'committed' } : { state: 'refused', failures };
}

function offsetOf({ view }: Batch, index: number): number {
  let at = 0;
  for (let skipped = 0; skipped < index; skipped += 1) at += view.getUint32(at, true);
  return at;
}
