/**
 * Posts Events one after the other in the background. What is the same again within some minutes is counted in the
 * series of the first, as client-go does it (tools/events/event_broadcaster.go), instead of a new Event.
 */

import type { Cancel, Clock } from '../clock.ts';
import { type EventWriting, eventBody, eventName, eventsPath, seriesPatch } from './event-object.ts';
import type { EventObject, EventPort, EventReport } from './event-port.ts';

export interface EventRecorderOptions {
  readonly nodeName: string;
  readonly transport: EventTransport;
  readonly clock: Clock;
  /** Unix milliseconds. */
  readonly timeOfDay: () => number;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  /** '' when it is not known; asked when the Event is written. */
  readonly uidOf: (object: EventObject) => string;
  /** An Event that was refused or given up, with the reason. */
  readonly onFailure: (report: EventReport, message: string) => void;
}

export interface EventTransport {
  /** Resolves to the status of the answer; rejects when there is none. */
  send(request: EventRequest): Promise<number>;
  close(): void;
}

export interface EventRequest {
  readonly method: 'POST' | 'PATCH';
  readonly path: string;
  readonly body: object;
}

/** Nodes that say the same do not say it at the same moment: the first one's Event spares the others theirs. */
const spreadMs = 10_000;
/** A series is told of at most once in this time. */
const seriesPeriodMs = 60_000;
/** What comes again later than this is a new Event. finishTime in client-go. */
const seriesEndMs = 6 * 60_000;
/** Requests at once, and then one per second. */
const burst = 25;
const refillMs = 1_000;
const mostWaiting = 1_000;
/** maxTriesPerEvent in client-go. */
const mostTries = 12;
const firstRetryMs = 1_000;
const longestRetryMs = 60_000;

export function createEventRecorder(options: EventRecorderOptions): EventPort {
  const recorder = new EventRecorder(options);
  return {
    report: (event) => recorder.report(event),
    counts: () => ({ ...recorder.counts }),
    close: (patienceMs) => recorder.close(patienceMs),
  };
}

interface Entry {
  readonly report: EventReport;
  /** Undefined until it was written for the first time. */
  writing: EventWriting | undefined;
  /** How often it happened, and of how many the API server knows. */
  count: number;
  told: number;
  lastAt: number;
  /** On the clock; undefined when there is nothing to tell. */
  due: number | undefined;
  tries: number;
  /** When it was last told of, on the clock. */
  toldAt: number;
}

class EventRecorder {
  readonly counts = { posted: 0, failed: 0, dropped: 0 };
  readonly #options: EventRecorderOptions;
  readonly #entries = new Map<string, Entry>();
  #tokens = burst;
  #refilledAt: number;
  #isSending = false;
  #isClosed = false;
  #cancelTimer: Cancel = () => {};
  #onIdle: () => void = () => {};

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#refilledAt = options.clock.now();
  }

  report(report: EventReport): void {
    if (this.#isClosed) {
      return;
    }
    this.#forgetOld();
    const key = JSON.stringify(report);
    const { clock, timeOfDay, random } = this.#options;
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      entry.count += 1;
      entry.lastAt = timeOfDay();
      entry.due ??= Math.max(clock.now(), entry.toldAt + seriesPeriodMs);
    } else if (this.#entries.size >= mostWaiting) {
      this.counts.dropped += 1;
      return;
    } else {
      const due = clock.now() + (report.scope === 'cluster' ? random() * spreadMs : 0);
      const fresh = { report, writing: undefined, count: 1, told: 0, lastAt: timeOfDay(), due, tries: 0, toldAt: due };
      this.#entries.set(key, fresh);
    }
    this.#schedule();
  }

  async close(patienceMs: number): Promise<void> {
    const { clock, transport } = this.#options;
    for (const entry of this.#entries.values()) {
      entry.due = entry.told === 0 ? Math.min(entry.due ?? 0, clock.now()) : undefined;
    }
    if (this.#next() !== undefined || this.#isSending) {
      await new Promise<void>((resolve) => {
        const cancel = clock.after(patienceMs, resolve);
        this.#onIdle = () => {
          cancel();
          resolve();
        };
        this.#schedule();
      });
    }
    this.#isClosed = true;
    this.#cancelTimer();
    transport.close();
  }

  /** What is told and has not happened again for long is forgotten; the map is in the order of first occurrence. */
  #forgetOld(): void {
    const oldest = this.#options.clock.now() - seriesEndMs;
    for (const [key, entry] of this.#entries) {
      if (entry.due === undefined && entry.toldAt < oldest) {
        this.#entries.delete(key);
      }
    }
  }

  #schedule(): void {
    this.#cancelTimer();
    const next = this.#next();
    if (this.#isSending || this.#isClosed) {
      return;
    }
    if (next === undefined) {
      this.#onIdle();
      return;
    }
    const { clock } = this.#options;
    const waitMs = Math.max((next[1].due ?? 0) - clock.now(), this.#tokenInMs());
    this.#cancelTimer = clock.after(Math.max(0, waitMs), () => void this.#send(next[0], next[1]));
  }

  #next(): readonly [string, Entry] | undefined {
    let first: readonly [string, Entry] | undefined;
    for (const each of this.#entries) {
      if (each[1].due !== undefined && each[1].due < (first?.[1].due ?? Number.POSITIVE_INFINITY)) {
        first = each;
      }
    }
    return first;
  }

  /** Milliseconds until a request may be sent. */
  #tokenInMs(): number {
    const now = this.#options.clock.now();
    const gained = Math.floor((now - this.#refilledAt) / refillMs);
    this.#tokens = Math.min(burst, this.#tokens + gained);
    this.#refilledAt += gained * refillMs;
    return this.#tokens > 0 ? 0 : this.#refilledAt + refillMs - now;
  }

  async #send(key: string, entry: Entry): Promise<void> {
    this.#isSending = true;
    this.#tokens -= 1;
    entry.tries += 1;
    const { count } = entry;
    const isNew = entry.told === 0;
    let outcome: Outcome;
    try {
      outcome = outcomeOf(await this.#options.transport.send(this.#request(entry)), isNew);
    } catch (error) {
      outcome = { is: 'again', message: error instanceof Error ? error.message : String(error) };
    }
    this.#isSending = false;
    this.#settle(key, entry, { outcome, count });
    this.#schedule();
  }

  #request(entry: Entry): EventRequest {
    const { report } = entry;
    const { nodeName, uidOf } = this.#options;
    entry.writing ??= { report, uid: uidOf(report.regarding), nodeName, at: entry.lastAt };
    const path = eventsPath(report);
    return entry.told === 0
      ? { method: 'POST', path, body: eventBody(entry.writing) }
      : {
          method: 'PATCH',
          path: `${path}/${eventName(entry.writing)}`,
          body: seriesPatch(entry.count, entry.lastAt),
        };
  }

  #settle(key: string, entry: Entry, { outcome, count }: { readonly outcome: Outcome; readonly count: number }): void {
    const now = this.#options.clock.now();
    switch (outcome.is) {
      case 'told':
        this.counts.posted += 1;
        Object.assign(entry, { told: count, tries: 0, toldAt: now, due: undefined });
        if (entry.count > count) {
          entry.due = now + seriesPeriodMs;
        }
        break;
      case 'anew':
        // It expired: the series goes on in a new Event.
        Object.assign(entry, { told: 0, count: 1, writing: undefined, due: now });
        break;
      case 'again':
        if (entry.tries < mostTries) {
          entry.due = now + Math.min(longestRetryMs, firstRetryMs * 2 ** (entry.tries - 1));
          break;
        }
        this.#giveUp(key, entry, outcome.message);
        break;
      case 'refused':
        this.#giveUp(key, entry, outcome.message);
        break;
    }
  }

  #giveUp(key: string, entry: Entry, message: string): void {
    this.counts.failed += 1;
    this.#entries.delete(key);
    this.#options.onFailure(entry.report, message);
  }
}

type Outcome =
  | { readonly is: 'told' }
  | { readonly is: 'anew' }
  | { readonly is: 'again'; readonly message: string }
  | { readonly is: 'refused'; readonly message: string };

function outcomeOf(status: number, isNew: boolean): Outcome {
  if (status >= 200 && status < 300) {
    return { is: 'told' };
  }
  // 409: it is there already, told by another node or before a restart.
  if (status === 409 && isNew) {
    return { is: 'told' };
  }
  if (status === 404 && !isNew) {
    return { is: 'anew' };
  }
  const message = `the API server answered ${status}`;
  const isPassing = status === 401 || status === 409 || status === 429 || status >= 500;
  return { is: isPassing ? 'again' : 'refused', message };
}
