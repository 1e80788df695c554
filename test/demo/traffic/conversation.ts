/** What the demo says to a peer, and what comes back: one JSON object a line, in both directions. */

import type { Place, Protocol } from './place.ts';

/** What a pod answers to a request. */
export interface Answer {
  readonly pod: string;
  /** The source address that the pod saw. */
  readonly saw: string;
}

/** An answer, or what went wrong instead. */
export type Outcome = Answer | { readonly failure: string };

/** A request of a stream. */
export type StreamOutcome = Outcome & {
  /** Milliseconds after the beginning of the stream. */
  readonly at: number;
};

export type Order =
  /** `count` requests, one after the other, each from a socket of its own. */
  | ({ readonly verb: 'ask'; readonly protocol: Protocol; readonly count: number; readonly from?: string } & Place)
  /** Opens a TCP connection, sends a request and leaves it open under `name`. */
  | ({ readonly verb: 'hold'; readonly name: string } & Place)
  /** Sends another request through a connection that is held open. */
  | { readonly verb: 'continue'; readonly name: string }
  /** Ends a connection that is held open. */
  | { readonly verb: 'release'; readonly name: string }
  /** Requests over TCP at a steady rate, each by a connection of its own. */
  | ({ readonly verb: 'stream'; readonly perSecond: number; readonly seconds: number } & Place);

export interface NumberedOrder {
  readonly number: number;
  readonly order: Order;
}

export interface Reply {
  readonly number: number;
  readonly outcomes: readonly (Outcome | StreamOutcome)[];
}
