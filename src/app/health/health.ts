/**
 * Health as a value, and what /healthz and /livez say about it. Rules and body are kube-proxy's
 * (pkg/proxy/healthcheck/proxy_health.go): load balancers outside the cluster already read them. One rule is ours: before
 * everything was in force once, /healthz keeps traffic and the update of the next node waiting.
 */

import { type Family, families } from '../../core/model/facts.ts';

/** All times are Unix milliseconds. */
export interface FamilyHealth {
  /** When the sync loop started, or the last pass in which everything came into force. */
  readonly lastUpdated: number;
  /** When the oldest change arrived that is not in force yet. */
  readonly oldestPending: number | undefined;
  /** Everything was in force once. */
  readonly isSynced: boolean;
}

export interface Health {
  /** A family appears when its sync loop starts. */
  readonly families: Readonly<Partial<Record<Family, FamilyHealth>>>;
  /** False as long as our Node is unknown, and when it is being deleted. Kept when the object is gone. */
  readonly nodeEligible: boolean;
}

/** Before anything has started. */
export const initialHealth: Health = { families: {}, nodeEligible: false };

/** The sync loop of these families starts. */
export function started(health: Health, served: readonly Family[], now: number): Health {
  return withFamilies(health, served, () => ({ lastUpdated: now, oldestPending: undefined, isSynced: false }));
}

/** A change of these families arrived; an older one that is still waiting keeps its place. */
export function queued(health: Health, touched: readonly Family[], now: number): Health {
  return withFamilies(health, touched, (before) =>
    before === undefined ? undefined : { ...before, oldestPending: before.oldestPending ?? now },
  );
}

/** Everything is in force in these families. One in which something failed must not be reported here. */
export function updated(health: Health, served: readonly Family[], now: number): Health {
  return withFamilies(health, served, () => ({ lastUpdated: now, oldestPending: undefined, isSynced: true }));
}

/** Nothing waits any more in these families, and nothing had to be done for it. */
export function settled(health: Health, served: readonly Family[]): Health {
  return withFamilies(health, served, (before) =>
    before === undefined ? undefined : { ...before, oldestPending: undefined },
  );
}

export function withNodeEligible(health: Health, nodeEligible: boolean): Health {
  return { ...health, nodeEligible };
}

export interface HealthReply {
  readonly status: 200 | 503;
  /** JSON. */
  readonly body: string;
}

/** `/healthz`: also tells load balancers not to choose a node that is on its way out. */
export function healthz(health: Health, now: number, syncPeriodMs: number): HealthReply {
  const synced = isSynced(health);
  const isGood = isHealthy(health, now, syncPeriodMs) && health.nodeEligible && synced;
  const eligibility = { nodeEligible: health.nodeEligible, ...(synced ? {} : { synced }) };
  return reply(isGood, health, { now, syncPeriodMs, eligibility });
}

/** `/livez`: whether to restart us. A node on its way out is no reason, nor is one that still waits for its lists. */
export function livez(health: Health, now: number, syncPeriodMs: number): HealthReply {
  return reply(isHealthy(health, now, syncPeriodMs), health, { now, syncPeriodMs, eligibility: {} });
}

/** Nothing pending is healthy, however long ago the last pass was. */
export function isHealthy(health: Health, now: number, syncPeriodMs: number): boolean {
  return Object.values(health.families).every((family) => familyIsHealthy(family, now, syncPeriodMs));
}

function isSynced({ families: served }: Health): boolean {
  const states = Object.values(served);
  return states.length > 0 && states.every((family) => family.isSynced);
}

function familyIsHealthy({ oldestPending }: FamilyHealth, now: number, syncPeriodMs: number): boolean {
  return oldestPending === undefined || now - oldestPending < 2 * syncPeriodMs;
}

interface ReplyInput {
  readonly now: number;
  readonly syncPeriodMs: number;
  readonly eligibility: { readonly nodeEligible?: boolean; readonly synced?: boolean };
}

function reply(isGood: boolean, health: Health, { now, syncPeriodMs, eligibility }: ReplyInput): HealthReply {
  const status: Partial<Record<Family, { lastUpdated: string; healthy: boolean }>> = {};
  for (const family of families) {
    const state = health.families[family];
    if (state !== undefined) {
      const healthy = familyIsHealthy(state, now, syncPeriodMs);
      status[family] = { lastUpdated: timestamp(state.lastUpdated), healthy };
    }
  }
  const body = {
    // A good reply is current by definition, as idle time means nothing (kubernetes/kubernetes#75147).
    lastUpdated: isGood ? timestamp(now) : newestUpdate(health),
    currentTime: timestamp(now),
    ...eligibility,
    healthy: isHealthy(health, now, syncPeriodMs),
    status,
  };
  return { status: isGood ? 200 : 503, body: JSON.stringify(body) };
}

function newestUpdate(health: Health): string {
  const times = Object.values(health.families).map(({ lastUpdated }) => lastUpdated);
  // Go's zero time, which readers of kube-proxy's reply expect where there was no update yet.
  return times.length === 0 ? '0001-01-01T00:00:00Z' : timestamp(Math.max(...times));
}

function timestamp(time: number): string {
  return new Date(time).toISOString();
}

function withFamilies(
  health: Health,
  which: readonly Family[],
  next: (before: FamilyHealth | undefined) => FamilyHealth | undefined,
): Health {
  const changed: Partial<Record<Family, FamilyHealth>> = { ...health.families };
  for (const family of which) {
    const after = next(health.families[family]);
    if (after !== undefined) {
      changed[family] = after;
    }
  }
  return { ...health, families: changed };
}
