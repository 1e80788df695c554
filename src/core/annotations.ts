/**
 * What a Service asks for by annotation: `kube-router.io/service.*` with kube-router's meaning, `sluice.dev/*` for
 * what goes beyond. Where both speak, sluice's own wins and a refusal says so.
 */

import type { SchedulerSupport } from './model/context.ts';
import type { ServiceFact } from './model/facts.ts';
import { type Encapsulation, encapsulations } from './model/pod-tunnel.ts';
import type { Refusal } from './model/reason.ts';
import { type Scheduler, schedulers, virtualServerFlags } from './model/virtual-server.ts';

export interface ServiceWishes {
  readonly scheduler: Scheduler;
  /** Scheduler bits of `virtualServerFlags`. */
  readonly schedulerFlags: number;
  /** externalTrafficPolicy acts as Local and internalTrafficPolicy as Cluster, whatever the spec says. */
  readonly forcesExternalLocal: boolean;
  readonly ignoresLoadBalancerIPs: boolean;
  /** How clients outside are sent to endpoints that answer them directly; undefined: they do not. */
  readonly directReturn: Encapsulation | undefined;
  readonly refusals: readonly Refusal[];
}

export interface SchedulerChoice extends SchedulerSupport {
  /** The scheduler this Service had until now, if any: an unknown name keeps it. */
  readonly last: Scheduler | undefined;
}

export function readWishes(service: Pick<ServiceFact, 'annotations'>, choice: SchedulerChoice): ServiceWishes {
  const refusals: Refusal[] = [];
  const scheduler = readScheduler(service.annotations, choice, refusals);
  return {
    scheduler,
    schedulerFlags: readSchedulerFlags(service.annotations, scheduler, refusals),
    forcesExternalLocal: service.annotations['kube-router.io/service.local'] === 'true',
    ignoresLoadBalancerIPs: service.annotations['kube-router.io/service.skiplbips'] !== undefined,
    directReturn: readDirectReturn(service.annotations, refusals),
    refusals,
  };
}

/** True for a name of the kernel's own list. Nothing else may reach `request_module` (net/netfilter/ipvs/ip_vs_sched.c). */
export function isScheduler(name: string): name is Scheduler {
  return schedulers.some((known) => known === name);
}

const OWN_SCHEDULER = 'sluice.dev/scheduler';
const ROUTER_SCHEDULER = 'kube-router.io/service.scheduler';
const OWN_FLAGS = 'sluice.dev/scheduler-flags';
const ROUTER_FLAGS = 'kube-router.io/service.schedflags';
const OWN_DSR = 'sluice.dev/dsr';
const ROUTER_DSR = 'kube-router.io/service.dsr';
const DSR_ENCAPSULATION = 'sluice.dev/dsr-encap';

type Annotations = Readonly<Record<string, string>>;

function readScheduler(annotations: Annotations, choice: SchedulerChoice, refusals: Refusal[]): Scheduler {
  const own = annotations[OWN_SCHEDULER];
  const router = annotations[ROUTER_SCHEDULER];
  if (own !== undefined && router !== undefined && own !== router) {
    refusals.push(conflict(ROUTER_SCHEDULER, router, OWN_SCHEDULER, own));
  }
  const name = own ?? router;
  const subject = own === undefined ? ROUTER_SCHEDULER : OWN_SCHEDULER;
  const isLastThere = choice.last !== undefined && choice.available.has(choice.last);
  const fallback = isLastThere ? choice.last : choice.defaultScheduler;
  if (name === undefined) {
    return choice.defaultScheduler;
  }
  if (!isScheduler(name)) {
    const expected = `one of ${schedulers.join(', ')}; ${fallback} stays`;
    refusals.push({ reason: 'scheduler-unknown', subject, found: name, expected });
    return fallback;
  }
  if (!choice.available.has(name)) {
    const expected = `a scheduler of this kernel (load ip_vs_${name}); ${choice.defaultScheduler} is used`;
    refusals.push({ reason: 'scheduler-not-in-kernel', subject, found: name, expected });
    return choice.defaultScheduler;
  }
  return name;
}

/** The kernel gives the three bits a meaning for sh and mh only (ip_vs.h: IP_VS_SVC_F_SCHED_SH_*, _MH_*). */
const flagBits: ReadonlyMap<string, number> = new Map([
  ['fallback', virtualServerFlags.schedulerFlag1],
  ['port', virtualServerFlags.schedulerFlag2],
  ['flag-1', virtualServerFlags.schedulerFlag1],
  ['flag-2', virtualServerFlags.schedulerFlag2],
  ['flag-3', virtualServerFlags.schedulerFlag3],
]);

function readSchedulerFlags(annotations: Annotations, scheduler: Scheduler, refusals: Refusal[]): number {
  const own = annotations[OWN_FLAGS];
  const router = annotations[ROUTER_FLAGS];
  if (own !== undefined && router !== undefined && own !== router) {
    refusals.push(conflict(ROUTER_FLAGS, router, OWN_FLAGS, own));
  }
  const takesFlags = scheduler === 'mh' || (scheduler === 'sh' && own !== undefined);
  let bits = 0;
  for (const word of (own ?? router ?? '').split(',').map((part) => part.trim())) {
    if (word === '') {
      continue;
    }
    const bit = flagBits.get(word.replace(new RegExp(`^${scheduler}-`), ''));
    if (bit === undefined || !takesFlags) {
      const expected = takesFlags
        ? `${scheduler}-fallback, ${scheduler}-port or flag-1, flag-2, flag-3`
        : `no flags with scheduler ${scheduler}: only mh${own === undefined ? '' : ' and sh'} take them`;
      const subject = own === undefined ? ROUTER_FLAGS : OWN_FLAGS;
      refusals.push({ reason: 'scheduler-flag-unknown', subject, found: word, expected });
    } else {
      bits |= bit;
    }
  }
  return bits;
}

/** Whether a Service asks for direct return at all, by whatever value. */
export function wantsDirectReturn(annotations: Annotations): boolean {
  return annotations[OWN_DSR] !== undefined || annotations[ROUTER_DSR] !== undefined;
}

function readDirectReturn(annotations: Annotations, refusals: Refusal[]): Encapsulation | undefined {
  const own = annotations[OWN_DSR];
  const router = annotations[ROUTER_DSR];
  if (own !== undefined && router !== undefined && own !== router) {
    refusals.push(conflict(ROUTER_DSR, router, OWN_DSR, own));
  }
  const value = own ?? router;
  if (value === undefined) {
    return undefined;
  }
  if (value !== 'tunnel') {
    const subject = own === undefined ? ROUTER_DSR : OWN_DSR;
    const expected = 'tunnel; answers come back through this node';
    refusals.push({ reason: 'annotation-value-invalid', subject, found: value, expected });
    return undefined;
  }
  return readEncapsulation(annotations, refusals);
}

function readEncapsulation(annotations: Annotations, refusals: Refusal[]): Encapsulation {
  const found = annotations[DSR_ENCAPSULATION] ?? 'ipip';
  const encapsulation = encapsulations.find((each) => each === found);
  if (encapsulation === undefined) {
    const expected = `one of ${encapsulations.join(', ')}; ipip is used`;
    refusals.push({ reason: 'annotation-value-invalid', subject: DSR_ENCAPSULATION, found, expected });
  }
  return encapsulation ?? 'ipip';
}

function conflict(loser: string, found: string, winner: string, value: string): Refusal {
  return {
    reason: 'annotation-conflict',
    subject: loser,
    found,
    expected: `the value of ${winner}, which wins: ${value}`,
  };
}
