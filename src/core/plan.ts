/** Desired − actual → operations in phases. See `Plan` for the order and its reason. */

import { type Actual, type ActualVirtualServer, ownershipKey } from './actual.ts';
import { type CIDR, cidrContains } from './address.ts';
import type { Desired } from './desired.ts';
import { eachPair, isSameDestination } from './destinations.ts';
import { phaseToAdd, phaseToRemove } from './element-phase.ts';
import { insertionOrder } from './insertion-order.ts';
import { quarantineKey, serverQuarantineKey } from './keys.ts';
import type { Protocol } from './model/facts.ts';
import { type FilterElement, isViewElement } from './model/filter-element.ts';
import type { LargePlan, Plan } from './model/operation.ts';
import type { DesiredVirtualServer, Resource } from './model/resource.ts';
import type { Vip, VipMode } from './model/vip.ts';
import type { Destination, VirtualServerIdentity } from './model/virtual-server.ts';
import { isSameServer } from './same-server.ts';

export interface PlanInput {
  readonly desired: Desired;
  readonly actual: Actual;
  /** The resources to compare. */
  readonly keys: Iterable<string>;
  readonly rules: PlanRules;
}

export interface PlanRules {
  readonly nodeName: string;
  readonly vipMode: VipMode;
  /** Virtual servers with an address in here are never removed. */
  readonly excludedCIDRs: readonly CIDR[];
  /** `quarantineKey`s and `serverQuarantineKey`s of what the kernel refused as it is; it is left out. */
  readonly quarantined: ReadonlySet<string>;
}

export function makePlan(input: PlanInput): Plan {
  const draft = emptyDraft();
  planInto(draft, input);
  return draft;
}

/** Puts the operations for these keys behind those that are there. */
export function planInto(draft: Draft, input: PlanInput): void {
  for (const key of input.keys) {
    const wanted = input.desired.resources.get(key);
    switch (wanted?.kind) {
      case 'virtual-server':
        wantVirtualServer(draft, input, wanted, input.actual.virtualServers.get(key));
        break;
      case 'vip':
        wantVip(draft, input, { key: wanted.key, vip: steeredOr(wanted.value, input.desired) });
        break;
      case 'element':
        wantElement(draft, wanted, input.actual.elements.get(key));
        break;
      case 'health-check':
      case 'pod-tunnel':
        // A server of the agent (src/app/health), and what is in a pod (src/app/direct-return): not of the node's kernel.
        break;
      case undefined:
        unwant(draft, input, key);
        break;
    }
  }
}

export const emptyPlan: Plan = emptyDraft();

export function countOperations(plan: LargePlan): number {
  return phases.reduce((sum, phase) => sum + plan[phase].length, 0);
}

/** The phases in the order in which they are carried out. */
export const phases = [
  'claim',
  'make',
  'guard',
  'expose',
  'quiesce',
  'hide',
  'unguard',
  'remove',
  'disclaim',
] as const satisfies readonly (keyof Plan)[];

/** A plan to which operations may be added. */
export type Draft = { readonly [Phase in keyof Plan]: { push(operation: Plan[Phase][number]): unknown } };

function emptyDraft(): Draft & Plan {
  return {
    claim: [],
    make: [],
    guard: [],
    expose: [],
    quiesce: [],
    hide: [],
    unguard: [],
    remove: [],
    disclaim: [],
  };
}

function wantVirtualServer(
  draft: Draft,
  input: PlanInput,
  { key, value: wanted }: Extract<Resource, { readonly kind: 'virtual-server' }>,
  there: ActualVirtualServer | undefined,
): void {
  const { server } = wanted;
  const { quarantined } = input.rules;
  const isRefused = quarantined.size > 0 && quarantined.has(serverQuarantineKey(server));
  if (there === undefined && isRefused) {
    return;
  }
  if (there === undefined) {
    draft.make.push({ kind: 'add-virtual-server', server, key });
    const ordered = insertionOrder(wanted.destinations, server.scheduler, input.rules.nodeName);
    for (const destination of ordered) {
      addDestination(draft, input, server.identity, destination);
    }
    return;
  }
  if (!isRefused && !isSameServer(server, there.server)) {
    draft.make.push({ kind: 'edit-virtual-server', server });
  }
  if (there.destinations !== wanted.destinations) {
    changeDestinations(draft, input, wanted, there);
  }
}

function changeDestinations(
  draft: Draft,
  input: PlanInput,
  wanted: DesiredVirtualServer,
  there: ActualVirtualServer,
): void {
  const { identity, scheduler } = wanted.server;
  const added: Destination[] = [];
  eachPair(wanted.destinations, there.destinations, (destination, known) => {
    if (destination === undefined) {
      dismiss(draft, wanted, known);
    } else if (known === undefined) {
      added.push(destination);
    } else if (!isSameDestination(destination, known) && !isQuarantined(input, identity, destination)) {
      const phase = destination.weight < known.weight ? draft.quiesce : draft.make;
      phase.push({ kind: 'edit-destination', identity, destination });
    }
  });
  for (const destination of insertionOrder(added, scheduler, input.rules.nodeName)) {
    addDestination(draft, input, identity, destination);
  }
}

function addDestination(
  draft: Draft,
  input: PlanInput,
  identity: VirtualServerIdentity,
  destination: Destination,
): void {
  if (!isQuarantined(input, identity, destination)) {
    draft.make.push({ kind: 'add-destination', identity, destination });
  }
}

function isQuarantined(input: PlanInput, identity: VirtualServerIdentity, destination: Destination): boolean {
  const { quarantined } = input.rules;
  return quarantined.size > 0 && quarantined.has(quarantineKey(identity, destination));
}

/**
 * A connection-oriented destination first loses its weight and goes when its drain is over (`drain.ts`). UDP has no
 * connections to keep: its flows move to another destination with the next packet (net.ipv4.vs.expire_nodest_conn).
 */
function dismiss(draft: Draft, wanted: DesiredVirtualServer, destination: Destination | undefined): void {
  const { identity } = wanted.server;
  if (destination === undefined) {
    return;
  }
  if (!drains(wanted.protocol)) {
    draft.quiesce.push({ kind: 'remove-destination', identity, destination });
  } else if (destination.weight > 0) {
    draft.quiesce.push({ kind: 'edit-destination', identity, destination: { ...destination, weight: 0 } });
  }
}

/** Whether a leaving destination of this protocol drains. */
export function drains(protocol: Protocol): boolean {
  return protocol !== 'UDP';
}

/** One port with direct return makes the VIP a steered one for all of them. */
function steeredOr(vip: Vip, { resources }: Desired): Vip {
  const steering = resources.get(`direct_return ${vip.address}`)?.value;
  if (steering === undefined) {
    return vip;
  }
  const encapsulation = 'encapsulation' in steering ? steering.encapsulation : undefined;
  return { ...vip, isSteered: true, encapsulation: encapsulation ?? 'ipip' };
}

function wantVip(draft: Draft, input: PlanInput, { key, vip }: { readonly key: string; readonly vip: Vip }): void {
  const there = input.actual.vips.get(key);
  const isComplete =
    there !== undefined &&
    there.routed &&
    there.source === vip.source &&
    there.isSteered === vip.isSteered &&
    (there.onInterface || input.rules.vipMode === 'route');
  if (!isComplete) {
    draft.expose.push(
      there === undefined ? { kind: 'add-vip', vip, key } : { kind: 'add-vip', vip, key, before: there },
    );
  }
}

function wantElement(
  draft: Draft,
  { key, value: element }: Extract<Resource, { readonly kind: 'element' }>,
  there: FilterElement | undefined,
): void {
  if (there === element || (there !== undefined && isSameElement(element, there))) {
    return;
  }
  draft[phaseToAdd(element)].push({ kind: 'add-element', element, key });
}

function unwant(draft: Draft, input: PlanInput, key: string): void {
  const { actual } = input;
  const server = actual.virtualServers.get(key);
  if (server !== undefined) {
    unwantVirtualServer(draft, input, server.server.identity);
    return;
  }
  const vip = actual.vips.get(key);
  if (vip !== undefined) {
    // An address that is not recorded is somebody else's. A local route of our protocol number is always ours.
    if (vip.routed || vip.isSteered === true || actual.elements.has(`vips ${vip.address}`)) {
      draft.hide.push({ kind: 'remove-vip', address: vip.address, before: vip });
    }
    return;
  }
  const element = actual.elements.get(key);
  if (element !== undefined) {
    draft[phaseToRemove(element, input.desired)].push({ kind: 'remove-element', element });
  }
}

/** Only what is recorded as sluice's goes, and nothing inside the excluded CIDRs. */
function unwantVirtualServer(draft: Draft, input: PlanInput, identity: VirtualServerIdentity): void {
  const isExcluded =
    identity.kind === 'address' && input.rules.excludedCIDRs.some((cidr) => cidrContains(cidr, identity.address));
  if (!isExcluded && input.actual.elements.has(ownershipKey(identity))) {
    draft.remove.push({ kind: 'remove-virtual-server', identity });
  }
}

/** Whether two elements of one key are the same. */
export function isSameElement(wanted: FilterElement, there: FilterElement): boolean {
  return !isViewElement(wanted) || (isViewElement(there) && there.mark === wanted.mark);
}
