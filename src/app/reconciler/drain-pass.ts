/** Reads the connection counts of draining destinations and removes those whose drain is over. */

import { resourceKeyOf } from '../../core/actual.ts';
import { type Drain, judgeDrain } from '../../core/drain.ts';
import { destinationKey } from '../../core/keys.ts';
import type { IpvsOperation, Plan } from '../../core/model/operation.ts';
import type { DestinationState } from '../../core/model/virtual-server.ts';
import { emptyPlan } from '../../core/plan.ts';
import { settle } from './pass.ts';
import type { PassOutcome, ReconcilerState } from './state.ts';
import { startTimer } from './stopwatch.ts';

/** Undefined when no destination has to go yet. */
export function drainPass(state: ReconcilerState): PassOutcome | undefined {
  const stopwatch = startTimer(state.options.now);
  const now = state.options.now();
  const remove: IpvsOperation[] = [];
  const counts = new Map<string, ReadonlyMap<string, DestinationState>>();
  for (const [key, drain] of state.drains) {
    const known = counts.get(drain.server) ?? readCounts(state, drain);
    counts.set(drain.server, known);
    const operation = judge(state, { key, drain, there: known.get(drain.destination), now });
    if (operation !== undefined) {
      remove.push(operation);
    }
  }
  if (remove.length === 0) {
    return undefined;
  }
  const plan: Plan = { ...emptyPlan, remove };
  return settle(state, { trigger: 'drain', services: [], keys: remove.map(resourceKeyOf), stopwatch }, plan);
}

function readCounts(state: ReconcilerState, drain: Drain): ReadonlyMap<string, DestinationState> {
  const states = state.options.ports.ipvs.dumpDestinations(drain.identity);
  return new Map(states.map((destination) => [destinationKey(destination), destination]));
}

interface DrainCase {
  readonly key: string;
  readonly drain: Drain;
  readonly there: DestinationState | undefined;
  readonly now: number;
}

function judge(state: ReconcilerState, { key, drain, there, now }: DrainCase): IpvsOperation | undefined {
  const listed = there !== undefined && isListed(state, drain.server, there.address);
  const verdict = judgeDrain(drain, there, listed, { now, graceMs: state.options.graceMs });
  if (verdict.verdict === 'wait') {
    state.drains.set(key, verdict.drain);
    return undefined;
  }
  if (there === undefined) {
    state.drains.delete(key);
    return undefined;
  }
  return { kind: 'remove-destination', identity: drain.identity, destination: there };
}

/** Whether a slice of the Service still names the address, in whatever condition. */
function isListed(state: ReconcilerState, server: string, address: string): boolean {
  const wanted = state.desired.resources.get(server)?.resource;
  if (wanted?.kind !== 'virtual-server') {
    return false;
  }
  const slices = [...(state.facts.slices.get(wanted.value.service)?.values() ?? [])];
  return slices.some((slice) => slice.endpoints.some((endpoint) => endpoint.address === address));
}
