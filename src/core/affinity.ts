/**
 * Session affinity for clients inside the cluster, where they have a virtual server by firewall mark. The kernel's
 * persistence is of no use there: of a persistent one it does not translate the port (ip_vs_sched_persist in
 * net/netfilter/ipvs/ip_vs_core.c: the destination's port counts only if the packet's is the virtual server's, and that
 * is 0), so that a client would reach the pod on the port of the frontend. A scheduler that hashes the client's address
 * keeps a client on its endpoint as well, without a timeout, as long as the endpoint takes connections.
 */

import { type Scheduler, virtualServerFlags } from './model/virtual-server.ts';

/** How a virtual server chooses among its destinations. */
export interface Scheduling {
  readonly scheduler: Scheduler;
  readonly flags: number;
  /** Seconds; 0 when not persistent. */
  readonly timeoutSeconds: number;
}

/** The inside view's scheduling for that of the plain virtual server. */
export function insideScheduling(plain: Scheduling, available: ReadonlySet<Scheduler>): Scheduling {
  if (!isPersistent(plain)) {
    return plain;
  }
  const { scheduler } = plain;
  const hash = isHash(scheduler) ? scheduler : hashes.find((each) => available.has(each));
  return hash === undefined
    ? { scheduler, flags: plain.flags & ~virtualServerFlags.persistent, timeoutSeconds: 0 }
    : { scheduler: hash, flags: hashFallback, timeoutSeconds: 0 };
}

/** Whether a client keeps its endpoint. */
export function keepsClients(scheduling: Scheduling): boolean {
  return isPersistent(scheduling) || isHash(scheduling.scheduler);
}

/** The better one first: with mh, of the clients of other endpoints hardly any moves when one comes or goes. */
const hashes = ['mh', 'sh'] as const satisfies readonly Scheduler[];

/** The flag `fallback` of both: another destination is chosen for one of weight 0, instead of a refusal. */
const hashFallback = virtualServerFlags.schedulerFlag1;

function isHash(scheduler: Scheduler): boolean {
  return hashes.some((hash) => hash === scheduler);
}

function isPersistent({ flags }: Scheduling): boolean {
  return (flags & virtualServerFlags.persistent) !== 0;
}
