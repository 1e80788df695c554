/** Reads the connection counts of draining destinations and removes those whose drain is over. */

import { resourceKeyOf } from '../../core/actual.ts';
import { type Drain, endDrain, judgeDrain, putDrain } from '../../core/drain.ts';
import { slicesOf } from '../../core/facts.ts';
import { destinationKey } from '../../core/keys.ts';
import type { IpvsOperation, Plan } from '../../core/model/operation.ts';
import type { DestinationState } from '../../core/model/virtual-server.ts';
import { emptyPlan } from '../../core/plan.ts';
import { settle } from './pass.ts';
import type { PassOutcome, ReconcilerState } from './state.ts';
import { startTimer } from './stopwatch.ts';

/** Those of these virtual servers. Undefined when no destination has to go yet. */
export function drainPass(state: ReconcilerState, servers: readonly string[]): PassOutcome | undefined {
  const stopwatch = startTimer(state.options.now);
  const now = state.options.now();
  const remove: IpvsOperation[] = [];
  for (const server of servers) {
    // Some may have come to nothing since the list was made.
    const drains = [...(state.drains.servers.get(server)?.values() ?? [])];
    const states = readStates(state, drains[0]);
    for (const drain of drains) {
      const operation = judge(state, { drain, there: states.get(drain.destination), now });
      if (operation !== undefined) {
        remove.push(operation);
      }
    }
  }
  if (remove.length === 0) {
    return undefined;
  }
  const plan: Plan = { ...emptyPlan, remove };
  return settle(state, { trigger: 'drain', services: [], keys: new Set(remove.map(resourceKeyOf)), stopwatch }, plan);
}

function readStates(state: ReconcilerState, drain: Drain | undefined): ReadonlyMap<string, DestinationState> {
  const states = drain === undefined ? [] : state.options.ports.ipvs.dumpDestinations(drain.identity);
  return new Map(states.map((destination) => [destinationKey(destination), destination]));
}

interface DrainCase {
  readonly drain: Drain;
  readonly there: DestinationState | undefined;
  readonly now: number;
}

function judge(state: ReconcilerState, { drain, there, now }: DrainCase): IpvsOperation | undefined {
  const listed = there !== undefined && isListed(state, drain.server, there.address);
  const verdict = judgeDrain(drain, there, listed, { now, graceMs: state.options.graceMs });
  if (verdict.verdict === 'wait') {
    putDrain(state.drains, verdict.drain);
    return undefined;
  }
  if (there === undefined) {
    endDrain(state.drains, drain.server, drain.destination);
    return undefined;
  }
  return { kind: 'remove-destination', identity: drain.identity, destination: there };
}

/** Whether a slice of the Service still names the address, in whatever condition. */
function isListed(state: ReconcilerState, server: string, address: string): boolean {
  const wanted = state.desired.resources.get(server);
  if (wanted?.kind !== 'virtual-server') {
    return false;
  }
  return slicesOf(state.facts, wanted.value.service).some((slice) =>
    slice.endpoints.some((endpoint) => endpoint.address === address),
  );
}
