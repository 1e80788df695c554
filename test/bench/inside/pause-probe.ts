/**
 * Loaded into the agent before its own code (`--import`), which stays as it is shipped: tells the parent, when asked, how
 * long the event loop was kept from turning since the last question, and what the process has used of the processor.
 * It looks from the first connection to the API server on: before it the program itself is read, in one piece.
 */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface ProbeQuestion {
  /** Whether to look from now on. Looking costs a little time of the processor itself. */
  readonly watch: boolean;
}

export interface ProbeAnswer {
  readonly pauses: Pauses;
  /** Since the start of the process, all of its threads; the kernel counts by its ticks. */
  readonly cpuMs: number;
  /** How long the event loop did something else than wait since it began, by the clock. */
  readonly busyMs: number;
  /** From the start of the process to its first connection. */
  readonly loadMs: number;
  /** Since the start of the process, by the clock. */
  readonly upMs: number;
}

/** From one turn of the event loop that was asked for to the next, in milliseconds: up to `resolutionMs` too long. */
export interface Pauses {
  readonly p99: number;
  readonly max: number;
}

/** Between two looks. */
const resolutionMs = 2;

const delays = monitorEventLoopDelay({ resolution: resolutionMs });
let loadMs = Number.NaN;
const connecting = 'net.client.socket';
function loaded(): void {
  unsubscribe(connecting, loaded);
  loadMs = performance.now();
  delays.enable();
}
subscribe(connecting, loaded);

process.on('message', (question: ProbeQuestion) => {
  const { user, system } = process.cpuUsage();
  const answer: ProbeAnswer = {
    pauses: { p99: delays.percentile(99) / 1e6, max: delays.max / 1e6 },
    cpuMs: (user + system) / 1_000,
    busyMs: performance.eventLoopUtilization().active,
    loadMs,
    upMs: performance.now(),
  };
  process.send?.(answer);
  delays.disable();
  delays.reset();
  if (question.watch) {
    delays.enable();
  }
});
// The agent ends when its own work does.
process.channel?.unref();
