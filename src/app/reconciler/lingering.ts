/** Keeps the frontends of deleted Services while they have connections, for the grace period at most. */

import { cidrContains } from '../../core/address.ts';
import { setContribution } from '../../core/desired.ts';
import { lingeringContribution, lingeringName, ownerOf, serversOf } from '../../core/lingering.ts';
import type { ReconcilerState } from './state.ts';

/**
 * Looks among resources that are no longer wanted for frontends of deleted Services with established connections, and
 * wants those again. Asks the kernel once for each virtual server that would go. Returns the keys that this touched.
 */
export function addLingering(state: ReconcilerState, keys: Iterable<string>): ReadonlySet<string> {
  const touched = new Set<string>();
  for (const frontend of keys) {
    if (mayLinger(state, frontend) && countActive(state, frontend) > 0) {
      const contribution = lingeringContribution(state.actual, frontend);
      setContribution(state.desired, contribution.service, contribution).forEach((key) => touched.add(key));
      state.lingering.set(frontend, state.options.now() + state.options.graceMs);
    }
  }
  return touched;
}

/** Forgets frontends that a Service has taken. Returns the keys that this touched. */
export function dropTaken(state: ReconcilerState): ReadonlySet<string> {
  const taken = [...state.lingering.keys()].filter(
    (frontend) => state.desired.claims.get(frontend)?.[0]?.service !== lingeringName(frontend),
  );
  return endLingering(state, taken);
}

/** Lets go of these frontends. Returns the keys that this touched. */
export function endLingering(state: ReconcilerState, frontends: readonly string[]): ReadonlySet<string> {
  const touched = new Set<string>();
  for (const frontend of frontends) {
    state.lingering.delete(frontend);
    setContribution(state.desired, lingeringName(frontend), undefined).forEach((key) => touched.add(key));
  }
  return touched;
}

/**
 * A virtual server of sluice's own for connections, whose Service is gone and whose address is still ours to have: one
 * that a Node has now goes at once, since that node is cut off until then.
 */
function mayLinger(state: ReconcilerState, frontend: string): boolean {
  const { desired, actual, facts, context, options } = state;
  // At the start nearly everything is wanted, and asked about here.
  if (desired.resources.has(frontend)) {
    return false;
  }
  const identity = actual.virtualServers.get(frontend)?.server.identity;
  if (options.graceMs === 0 || identity?.kind !== 'address' || identity.protocol === 'UDP') {
    return false;
  }
  const { address } = identity;
  const owner = ownerOf(actual, frontend);
  return (
    owner !== undefined &&
    !facts.services.has(owner) &&
    (context.nodeAddresses.has(address) || !facts.addresses.nodes.has(address)) &&
    !options.rules.excludedCIDRs.some((cidr) => cidrContains(cidr, address))
  );
}

/** The established connections of a frontend, as the kernel counts them now. */
export function countActive({ actual, options }: ReconcilerState, frontend: string): number {
  const states = serversOf(actual, frontend).flatMap((identity) => options.ports.ipvs.dumpDestinations(identity));
  return states.reduce((sum, { activeConnections }) => sum + activeConnections, 0);
}
