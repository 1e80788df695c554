/** One GET with its deadlines, from the request to the end of the response. */

import type { Clock } from '../clock.ts';
import type { SourceFailure } from '../source.ts';
import { failureOfResponse } from './status.ts';
import type { ResponseHead, Transport } from './transport.ts';

export interface ExchangeInput {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Aborted: the exchange ends without a failure and nothing is called any more. */
  readonly signal: AbortSignal;
  readonly path: string;
  /** Longest time from the request to the end of the response. */
  readonly deadlineMs: number;
  /** The server accepts: what follows is what was asked for. */
  readonly onOpen: () => void;
  /** `at`: when, on the clock. A failure ends the exchange. */
  readonly onChunk: (bytes: Buffer, at: number) => SourceFailure | undefined;
}

export interface ExchangeEnd {
  readonly failure: SourceFailure | undefined;
  readonly retryAfterMs: number | undefined;
  /** Since the server accepted; undefined when it never did. */
  readonly openMs: number | undefined;
}

/** Bookmarks come about each minute, so three silent minutes are a dead connection: half open, it may say nothing. */
const idleMs = 180_000;
/** Watches are answered at once, pages of lists within seconds. */
const headMs = 30_000;

/** Resolves, never rejects. */
export function exchange(input: ExchangeInput): Promise<ExchangeEnd> {
  return new Promise((resolve) => new Exchange(input, resolve).begin());
}

/** Only the beginning of a refusal is read: enough for a `Status`. */
const longestRefusal = 65_536;

/** Owns the timers and the request of one exchange. */
class Exchange {
  readonly #input: ExchangeInput;
  readonly #resolve: (end: ExchangeEnd) => void;
  readonly #startedAt: number;
  #cancelRequest: () => void = () => {};
  #cancelTimer: () => void = () => {};
  #lastByteAt: number;
  #openedAt: number | undefined;
  #head: ResponseHead | undefined;
  #refusal = Buffer.alloc(0);
  #isOver = false;

  constructor(input: ExchangeInput, resolve: (end: ExchangeEnd) => void) {
    this.#input = input;
    this.#resolve = resolve;
    this.#startedAt = input.clock.now();
    this.#lastByteAt = this.#startedAt;
  }

  begin(): void {
    const { transport, path, signal } = this.#input;
    if (signal.aborted) {
      this.#finish(undefined);
      return;
    }
    signal.addEventListener('abort', this.#abort, { once: true });
    this.#watchClock();
    this.#cancelRequest = transport.get(path, {
      head: (head) => this.#receiveHead(head),
      chunk: (bytes) => this.#receiveChunk(bytes),
      end: (failure) => this.#finish(failure ?? this.#refusalOf()),
    });
  }

  readonly #abort = (): void => this.#finish(undefined);

  #receiveHead(head: ResponseHead): void {
    this.#head = head;
    this.#lastByteAt = this.#input.clock.now();
    if (head.status === 200) {
      this.#openedAt = this.#lastByteAt;
      this.#input.onOpen();
    }
  }

  #receiveChunk(bytes: Buffer): void {
    this.#lastByteAt = this.#input.clock.now();
    if (this.#openedAt === undefined) {
      this.#refusal = Buffer.concat([this.#refusal, bytes]).subarray(0, longestRefusal);
      return;
    }
    const failure = this.#input.onChunk(bytes, this.#lastByteAt);
    if (failure !== undefined) {
      this.#finish(failure);
    }
  }

  #refusalOf(): SourceFailure | undefined {
    const isRefused = this.#head !== undefined && this.#openedAt === undefined;
    return isRefused ? failureOfResponse(this.#head?.status ?? 0, this.#refusal.toString('utf8')) : undefined;
  }

  /** One timer that looks again when the next deadline could be due, instead of one set anew with each chunk. */
  #watchClock(): void {
    const { clock, deadlineMs } = this.#input;
    const silenceMs = this.#head === undefined ? headMs : idleMs;
    const due = Math.min(this.#startedAt + deadlineMs, this.#lastByteAt + silenceMs);
    if (clock.now() >= due) {
      const seconds = Math.round((clock.now() - this.#lastByteAt) / 1000);
      this.#finish({ code: 'silent', message: `nothing heard for ${seconds} s; the connection is given up` });
    } else {
      this.#cancelTimer = clock.after(due - clock.now(), () => this.#watchClock());
    }
  }

  #finish(failure: SourceFailure | undefined): void {
    if (this.#isOver) {
      return;
    }
    this.#isOver = true;
    this.#cancelTimer();
    this.#cancelRequest();
    this.#input.signal.removeEventListener('abort', this.#abort);
    const openMs = this.#openedAt === undefined ? undefined : this.#input.clock.now() - this.#openedAt;
    this.#resolve({ failure, retryAfterMs: this.#head?.retryAfterMs, openMs });
  }
}
