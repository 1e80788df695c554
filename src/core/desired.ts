/**
 * What the node should hold: the contributions of all Services together. A resource stands as long as one winning
 * frontend asks for it. Of several Services that claim a frontend the oldest wins (creation time, then name).
 */

import type { Expected } from './actual.ts';
import { filterElementKey } from './keys.ts';
import type { LongList } from './large-list.ts';
import { LargeMap } from './large-map.ts';
import type { ServiceFact } from './model/facts.ts';
import type { FilterElement } from './model/filter-element.ts';
import type { Refusal } from './model/reason.ts';
import type { Contribution, Frontend, Resource, WantedPodTunnel } from './model/resource.ts';
import { sortSteps } from './sort-steps.ts';
import { endsStep, finish, listSteps, type Steps } from './steps.ts';

export interface Desired {
  readonly contributions: ReadonlyMap<string, Contribution>;
  readonly resources: ReadonlyMap<string, Resource>;
  /** How often a resource is asked for by winning frontends and what is standing, by its key; only of more than once. */
  readonly holds: ReadonlyMap<string, number>;
  /** Claims by frontend key, the winner first. Only contested frontends have more than one. */
  readonly claims: ReadonlyMap<string, readonly Claim[]>;
  /** What is wanted for no Service in particular. */
  readonly standing: readonly Resource[];
  /** Those of the resources that are in pods, by key. */
  readonly podTunnels: ReadonlyMap<string, WantedPodTunnel>;
  /** Counts up whenever one of them is taken or given back. */
  readonly podTunnelChanges: number;
}

export interface Claim {
  readonly service: string;
  readonly createdAt: number;
  readonly frontend: Frontend;
}

export interface DesiredStore extends Desired {
  readonly contributions: Map<string, Contribution>;
  readonly resources: Map<string, Resource>;
  readonly holds: Map<string, number>;
  readonly claims: Map<string, readonly Claim[]>;
  standing: readonly Resource[];
  readonly podTunnels: Map<string, WantedPodTunnel>;
  podTunnelChanges: number;
}

export function emptyDesired(): DesiredStore {
  return {
    contributions: new LargeMap(),
    resources: new LargeMap(),
    holds: new LargeMap(),
    claims: new LargeMap(),
    standing: [],
    podTunnels: new Map(),
    podTunnelChanges: 0,
  };
}

/** What is wanted, as a reading of the kernel wants to know it. */
export function expectedOf(desired: Desired): Expected {
  return {
    virtualServer: (key) => {
      const resource = desired.resources.get(key);
      return resource?.kind === 'virtual-server' ? resource.value : undefined;
    },
    eachVirtualServer: (visit) =>
      eachResource(desired, (key, resource) => {
        if (resource.kind === 'virtual-server') {
          visit(key, resource.value);
        }
      }),
    eachVip: (visit) =>
      eachResource(desired, (key, resource) => {
        if (resource.kind === 'vip') {
          visit(key, resource.value);
        }
      }),
    eachElement: (visit) =>
      eachResource(desired, (key, resource) => {
        if (resource.kind === 'element') {
          visit(key, resource.value);
        }
      }),
  };
}

/** A loop over entries would make an array for each until the code is compiled, and a start is over before that. */
function* eachResource({ resources }: Desired, visit: (key: string, resource: Resource) => void): Steps<void> {
  let index = 0;
  for (const resource of resources.values()) {
    visit(resource.key, resource);
    if (endsStep(index, visitedAtOnce)) {
      yield;
    }
    index += 1;
  }
}

const visitedAtOnce = 1_000;

/** Replaces what a Service contributes (undefined: nothing any more). Returns the keys of resources to look at. */
export function setContribution(
  desired: DesiredStore,
  service: string,
  contribution: Contribution | undefined,
): Set<string> {
  const changed = new Set<string>();
  const before = desired.contributions.get(service)?.frontends ?? [];
  const after = new Map((contribution?.frontends ?? []).map((frontend) => [frontend.key, frontend]));
  // New claims first: a resource that both versions ask for never drops to zero in between.
  for (const frontend of after.values()) {
    claim(desired, { service, createdAt: contribution?.createdAt ?? 0, frontend }, changed);
  }
  for (const frontend of before) {
    if (!after.has(frontend.key)) {
      withdraw(desired, service, frontend.key, changed);
    }
  }
  if (contribution === undefined) {
    desired.contributions.delete(service);
  } else {
    desired.contributions.set(service, contribution);
  }
  return changed;
}

/** Replaces what is wanted for no Service in particular. Returns the keys of resources that came or went. */
export function setStanding(desired: DesiredStore, elements: readonly FilterElement[]): Set<string> {
  const before = new Set(desired.standing.map(({ key }) => key));
  const touched = new Set<string>();
  const standing = elements.map((value): Resource => ({ kind: 'element', key: filterElementKey(value), value }));
  standing.forEach((resource) => hold(desired, resource, touched));
  desired.standing.forEach((resource) => release(desired, resource, touched));
  desired.standing = standing;
  return new Set([...touched].filter((key) => before.has(key) !== desired.resources.has(key)));
}

/** The refusals of a Service, those of its own making and the frontends it lost to an older one. */
export function refusalsOf(desired: Desired, service: string): readonly Refusal[] {
  const contribution = desired.contributions.get(service);
  if (contribution === undefined) {
    return [];
  }
  const lost: Refusal[] = [];
  for (const { key } of contribution.frontends) {
    const winner = desired.claims.get(key)?.[0];
    if (winner !== undefined && winner.service !== service) {
      const expected = 'a frontend that no older Service claims';
      lost.push({ reason: 'frontend-claimed-by-older-service', subject: key, found: winner.service, expected });
    }
  }
  // Nearly all have none, and a start asks for those of every Service.
  return lost.length === 0 ? contribution.refusals : [...contribution.refusals, ...lost];
}

/** Other Services that claim a frontend of this one: what they are refused may change when this one changes. */
export function rivalsOf(desired: Desired, service: string): readonly string[] {
  const frontends = desired.contributions.get(service)?.frontends ?? [];
  return frontends.flatMap(({ key }) => {
    const claims = desired.claims.get(key) ?? [];
    return claims.length < 2 ? [] : claims.map((each) => each.service).filter((name) => name !== service);
  });
}

/** The Services in the order in which they win frontends; compiled so, winners take their marks back before losers. */
export function bySeniority(services: Iterable<ServiceFact>): LongList<ServiceFact> {
  return finish(bySenioritySteps(services));
}

/** The same in steps. */
export function* bySenioritySteps(services: Iterable<ServiceFact>): Steps<LongList<ServiceFact>> {
  return yield* sortSteps(yield* listSteps(services), (one, other) =>
    compareSeniority(one.createdAt, one.key, other.createdAt, other.key),
  );
}

function claim(desired: DesiredStore, made: Claim, changed: Set<string>): void {
  const key = made.frontend.key;
  const before = desired.claims.get(key) ?? [];
  if (before.some((other) => isSameClaim(other, made))) {
    // Held as they are, but as it has them: another that asked for one of them may have had it otherwise.
    const won = before[0]?.service === made.service ? made.frontend.resources : [];
    won.forEach((resource) => put(desired, resource, changed));
    return;
  }
  const others = before.filter((other) => other.service !== made.service);
  const after = others.length === 0 ? [made] : [...others, made].sort(compareClaims);
  desired.claims.set(key, after);
  changeWinner(desired, before[0], after[0], changed);
}

function isSameClaim(one: Claim, other: Claim): boolean {
  return one.service === other.service && one.createdAt === other.createdAt && one.frontend === other.frontend;
}

function withdraw(desired: DesiredStore, service: string, key: string, changed: Set<string>): void {
  const before = desired.claims.get(key) ?? [];
  const after = before.filter((other) => other.service !== service);
  if (after.length === 0) {
    desired.claims.delete(key);
  } else {
    desired.claims.set(key, after);
  }
  changeWinner(desired, before[0], after[0], changed);
}

function compareClaims(one: Claim, other: Claim): number {
  return compareSeniority(one.createdAt, one.service, other.createdAt, other.service);
}

function compareSeniority(createdAt: number, key: string, otherCreatedAt: number, otherKey: string): number {
  if (createdAt !== otherCreatedAt) {
    return createdAt - otherCreatedAt;
  }
  return key < otherKey ? -1 : 1;
}

function changeWinner(
  desired: DesiredStore,
  before: Claim | undefined,
  after: Claim | undefined,
  changed: Set<string>,
): void {
  if (before === after) {
    return;
  }
  // Mostly the same ones are asked for as before, in the same order: what is at its place stays held as it is.
  const asked = after?.frontend.resources ?? [];
  const previous = before?.frontend.resources ?? [];
  asked.forEach((resource, index) => {
    if (previous[index]?.key === resource.key) {
      put(desired, resource, changed);
    } else {
      hold(desired, resource, changed);
    }
  });
  previous.forEach((resource, index) => {
    if (asked[index]?.key !== resource.key) {
      release(desired, resource, changed);
    }
  });
}

function hold(desired: DesiredStore, resource: Resource, changed: Set<string>): void {
  const { key } = resource;
  if (desired.resources.has(key)) {
    desired.holds.set(key, (desired.holds.get(key) ?? 1) + 1);
  }
  put(desired, resource, changed);
}

function put(desired: DesiredStore, resource: Resource, changed: Set<string>): void {
  const { key } = resource;
  desired.resources.set(key, resource);
  if (resource.kind === 'pod-tunnel') {
    desired.podTunnels.set(key, resource.value);
    desired.podTunnelChanges += 1;
  }
  changed.add(key);
}

function release(desired: DesiredStore, { kind, key }: Resource, changed: Set<string>): void {
  if (!desired.resources.has(key)) {
    return;
  }
  if (kind === 'pod-tunnel') {
    desired.podTunnelChanges += 1;
  }
  const count = desired.holds.get(key) ?? 1;
  if (count === 1) {
    desired.resources.delete(key);
    desired.podTunnels.delete(key);
  } else if (count === 2) {
    desired.holds.delete(key);
  } else {
    desired.holds.set(key, count - 1);
  }
  changed.add(key);
}
