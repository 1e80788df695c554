/** Events as the rest of the agent reports them. */

export interface EventPort {
  /** Returns at once and never throws: whether and when it reaches the API server is no concern of the reporter. */
  report(event: EventReport): void;
  /** What became of the reports so far. */
  counts(): EventCounts;
  /** Gives what waits a last chance of at most `patienceMs`, then forgets it. */
  close(patienceMs: number): Promise<void>;
}

export interface EventReport {
  readonly type: 'Normal' | 'Warning';
  /** In the form of the API: `FailedToStartServiceHealthcheck`. */
  readonly reason: string;
  /** What was done, or could not be: `Listen`. */
  readonly action: string;
  /** At most 1024 bytes arrive. */
  readonly note: string;
  readonly regarding: EventObject;
  /**
   * `cluster`: every node would say the same, so one of them is enough: all give the Event one name, and the first wins.
   * `node`: it is this node's alone.
   */
  readonly scope: 'node' | 'cluster';
}

export type EventObject =
  | { readonly kind: 'Service'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'Node'; readonly name: string };

export interface EventCounts {
  readonly posted: number;
  /** Refused by the API server, or given up. */
  readonly failed: number;
  /** More was reported than may wait. */
  readonly dropped: number;
}

/** For a source without an API server. */
export const noEvents: EventPort = {
  report: () => {},
  counts: () => ({ posted: 0, failed: 0, dropped: 0 }),
  close: async () => {},
};
