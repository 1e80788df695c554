/**
 * Deletes UDP flows that lead to what no longer serves (`core/stale-flows.ts`), after the kernel was programmed and off
 * its way: the list is read a datagram at a time, and between two of them everything else has its turn. Changes that come
 * meanwhile share the next pass.
 */

import { type Family, families } from '../core/model/facts.ts';
import { type FlowTargets, type FlowTargetsInput, flowTargets, isStale } from '../core/stale-flows.ts';
import type { ConntrackPort } from '../kernel/ports.ts';
import { inSlices, nextTurn } from './slices.ts';

/** What one pass over the flows of one family did. */
export interface FlowCleaning {
  readonly family: Family;
  /** Flows that were looked at. */
  readonly listed: number;
  readonly deleted: number;
  /** From the first to the last flow, with all that had its turn in between. */
  readonly durationMs: number;
}

export interface FlowCleanerInput {
  readonly conntrack: ConntrackPort;
  /** What the reconciler knows; read anew for each pass. */
  readonly view: FlowTargetsInput;
  readonly observer: FlowObserver;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export interface FlowObserver {
  cleaned(cleaning: FlowCleaning): void;
  troubled(what: string, error: unknown, retryInMs: number): void;
}

export interface FlowCleaner {
  /** The endpoints of these Services changed, and the kernel holds what they are now. The set is the cleaner's from now on. */
  readonly due: (services: Set<string>) => void;
  readonly stop: () => void;
}

/**
 * From a change to its pass. The kernel goes through its whole table in one call before it says anything, so events that
 * come right behind the first one, as in a rollout, have their turn before.
 */
const settleMs = 100;
/** Between the end of a pass and the start of the next: endpoints that change all the time cost two passes a second. */
const pauseMs = 500;
const firstRetryMs = 1_000;
const longestRetryMs = 300_000;

export function createFlowCleaner(input: FlowCleanerInput): FlowCleaner {
  const state: CleanerState = { input, due: new Set(), attempts: 0, phase: 'idle', timer: undefined };
  return {
    due: (services) => {
      if (state.due.size === 0) {
        state.due = services;
      } else {
        services.forEach((service) => state.due.add(service));
      }
      wake(state);
    },
    stop: () => {
      state.phase = 'stopped';
      clearTimeout(state.timer);
    },
  };
}

interface CleanerState {
  readonly input: FlowCleanerInput;
  /** Services for the next pass; the one that runs leaves their flows to it. */
  due: Set<string>;
  /** Failed passes in a row, for the back-off. */
  attempts: number;
  phase: 'idle' | 'waiting' | 'running' | 'stopped';
  timer: NodeJS.Timeout | undefined;
}

function wake(state: CleanerState): void {
  if (state.phase === 'idle' && state.due.size > 0) {
    state.phase = 'waiting';
    state.timer = setTimeout(() => void run(state), settleMs);
  }
}

async function run(state: CleanerState): Promise<void> {
  state.phase = 'running';
  const services = [...state.due];
  state.due = new Set();
  try {
    for (const family of families) {
      if (isRunning(state)) {
        await clean(state, services, family);
      }
    }
    state.attempts = 0;
    pause(state, pauseMs);
  } catch (error) {
    const delayMs = Math.min(longestRetryMs, firstRetryMs * 2 ** state.attempts);
    state.attempts += 1;
    services.forEach((service) => state.due.add(service));
    state.input.observer.troubled('delete stale UDP flows', error, delayMs);
    pause(state, delayMs);
  }
}

function pause(state: CleanerState, delayMs: number): void {
  if (isRunning(state)) {
    state.phase = 'waiting';
    state.timer = setTimeout(() => {
      if (state.due.size > 0) {
        void run(state);
      } else {
        state.phase = 'idle';
      }
    }, delayMs);
  }
}

/** It may have been stopped at every `await`. */
function isRunning({ phase }: CleanerState): boolean {
  return phase === 'running';
}

async function clean(state: CleanerState, services: readonly string[], family: Family): Promise<void> {
  const { conntrack, view, observer, now } = state.input;
  const begin = now();
  const targets = await inSlices(flowTargets(view, services, family), () => isRunning(state));
  if (targets === undefined || isEmpty(targets)) {
    return;
  }
  let listed = 0;
  let deleted = 0;
  for (const piece of conntrack.flows(family)) {
    listed += piece.length;
    deleted += remove(
      conntrack,
      piece.filter((flow) => isStale(flow, targets, state.due)),
    );
    await nextTurn();
    if (!isRunning(state)) {
      return;
    }
  }
  observer.cleaned({ family, listed, deleted, durationMs: now() - begin });
}

function isEmpty({ frontends, nodePorts }: FlowTargets): boolean {
  return frontends.size === 0 && nodePorts.size === 0;
}

/** How many were deleted; those that went by themselves meanwhile do not count. */
function remove(conntrack: ConntrackPort, flows: Parameters<ConntrackPort['remove']>[0]): number {
  if (flows.length === 0) {
    return 0;
  }
  const { failures } = conntrack.remove(flows);
  const refusal = failures.find(({ error }) => error.code !== 'ENOENT');
  if (refusal !== undefined) {
    throw refusal.error;
  }
  return flows.length - failures.length;
}
