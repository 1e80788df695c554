/**
 * Graceful termination. A destination drains when the kernel holds it, nobody wants it any more and its protocol has
 * connections. It goes when its last connection is gone, or when the grace is over. The grace starts to count when
 * the endpoint is listed in no slice any more: as long as the API still lists a pod (terminating, or not ready) it
 * lives, and so may its connections.
 *
 * Which destinations drain follows from desired and actual alone, so nothing is lost over a restart.
 */

import type { Actual } from './actual.ts';
import type { Desired } from './desired.ts';
import { eachPair, findDestination } from './destinations.ts';
import { destinationKey } from './keys.ts';
import type { LongList } from './large-list.ts';
import type { DestinationState, VirtualServerIdentity } from './model/virtual-server.ts';
import { drains } from './plan.ts';
import { keysInSteps, type Steps } from './steps.ts';

export interface Drain {
  readonly identity: VirtualServerIdentity;
  /** `virtualServerKey` and `destinationKey`. */
  readonly server: string;
  readonly destination: string;
  /** Milliseconds on the caller's monotonic clock: when it is removed even with connections. Undefined: still listed. */
  readonly deadline: number | undefined;
}

/** By virtual server and destination, so that a pass looks at the virtual servers that it is about and no others. */
export interface DrainStore {
  readonly servers: Map<string, Map<string, Drain>>;
  /** Of all virtual servers. */
  count: number;
}

export function emptyDrains(): DrainStore {
  return { servers: new Map(), count: 0 };
}

/**
 * Brings the list of drains in line with the state of these virtual servers after a pass; keys of other resources say
 * nothing.
 */
export function trackDrains(store: DrainStore, state: DrainInput, keys: Iterable<string>): void {
  for (const server of keys) {
    for (const destination of store.servers.get(server)?.keys() ?? []) {
      if (!leaves(state, server, destination)) {
        endDrain(store, server, destination);
      }
    }
    addDrains(store, state, server);
  }
}

/** The same in steps, for many keys. */
export function* trackDrainsSteps(store: DrainStore, state: DrainInput, keys: LongList<string>): Steps<void> {
  for (const some of keysInSteps(keys)) {
    trackDrains(store, state, some);
    yield;
  }
}

interface DrainInput {
  readonly desired: Desired;
  readonly actual: Actual;
}

/** Whether the kernel holds a destination that nobody wants. */
function leaves({ desired, actual }: DrainInput, server: string, destination: string): boolean {
  const wanted = desired.resources.get(server);
  const isWanted =
    wanted?.kind === 'virtual-server' && findDestination(wanted.value.destinations, destination) !== undefined;
  return !isWanted && findDestination(actual.virtualServers.get(server)?.destinations ?? [], destination) !== undefined;
}

function addDrains(store: DrainStore, { desired, actual }: DrainInput, server: string): void {
  const there = actual.virtualServers.get(server);
  const wanted = desired.resources.get(server);
  if (there === undefined || wanted?.kind !== 'virtual-server' || !drains(wanted.value.protocol)) {
    return;
  }
  if (there.destinations === wanted.value.destinations) {
    return;
  }
  eachPair(wanted.value.destinations, there.destinations, (destination, leaving) => {
    const key = destination === undefined && leaving !== undefined ? destinationKey(leaving) : undefined;
    if (key !== undefined && store.servers.get(server)?.has(key) !== true) {
      putDrain(store, { identity: there.server.identity, server, destination: key, deadline: undefined });
    }
  });
}

/** Also in place of what is known of it. */
export function putDrain(store: DrainStore, drain: Drain): void {
  const ofServer = store.servers.get(drain.server) ?? new Map<string, Drain>();
  store.servers.set(drain.server, ofServer);
  store.count -= ofServer.size;
  ofServer.set(drain.destination, drain);
  store.count += ofServer.size;
}

export function endDrain(store: DrainStore, server: string, destination: string): void {
  const ofServer = store.servers.get(server);
  if (ofServer?.delete(destination) === true) {
    store.count -= 1;
  }
  if (ofServer?.size === 0) {
    store.servers.delete(server);
  }
}

export type DrainVerdict =
  | { readonly verdict: 'wait'; readonly drain: Drain }
  | { readonly verdict: 'over'; readonly why: 'no-connections' | 'grace-over' };

/** What becomes of one drain. `state` is undefined when the kernel no longer has the destination. */
export function judgeDrain(
  drain: Drain,
  state: DestinationState | undefined,
  isListed: boolean,
  time: { readonly now: number; readonly graceMs: number },
): DrainVerdict {
  if (state === undefined || state.activeConnections + state.inactiveConnections === 0) {
    return { verdict: 'over', why: 'no-connections' };
  }
  if (isListed) {
    return { verdict: 'wait', drain: { ...drain, deadline: undefined } };
  }
  const deadline = drain.deadline ?? time.now + time.graceMs;
  return deadline <= time.now
    ? { verdict: 'over', why: 'grace-over' }
    : { verdict: 'wait', drain: { ...drain, deadline } };
}
