/** What a sync would change on this node now, by Service. Reads only. */

import { type Actual, ownershipKey, resourceKeyOf } from '../core/actual.ts';
import { allKeys } from '../core/all-keys.ts';
import { compileAll } from '../core/compile-all.ts';
import { type Desired, refusalsOf } from '../core/desired.ts';
import { destinationKey } from '../core/keys.ts';
import type { Operation, Plan } from '../core/model/operation.ts';
import type { Refusal } from '../core/model/reason.ts';
import { makePlan, type PlanRules, phases } from '../core/plan.ts';
import type { ObjectProblem } from '../kube/source.ts';
import type { Config } from './config/config.ts';
import { planRules } from './kernel.ts';
import { readActual, type Snapshot, withSnapshot } from './snapshot.ts';

export interface PreviewInput extends Omit<Snapshot, 'nodeName'> {
  readonly rules: Omit<PlanRules, 'quarantined'>;
  readonly fwmarkMask: number;
}

export interface Preview {
  /** Services with changes or refusals, by name. Changes that belong to no Service, or to none any more, stand under ''. */
  readonly services: readonly ServicePreview[];
  /** Virtual servers of others, left alone. */
  readonly foreign: readonly string[];
  readonly counts: { readonly services: number; readonly operations: number };
}

export interface ServicePreview {
  readonly service: string;
  readonly changes: readonly PreviewChange[];
  readonly refusals: readonly Refusal[];
}

export interface PreviewChange {
  readonly verb: 'add' | 'change' | 'remove';
  /** `virtual server TCP 10.96.0.1:80`. */
  readonly what: string;
  readonly detail?: string;
}

/** What the agent would change on the node that this process runs on. */
export function preview(config: Config): Promise<Preview> {
  return withSnapshot(config, (snapshot) => {
    const rules = planRules(config, snapshot.nodeName);
    return previewSync({ ...snapshot, rules, fwmarkMask: config.fwmarkMask });
  });
}

export function previewSync(input: PreviewInput): Preview {
  const actual = readActual(input);
  const desired = compileAll(input, actual);
  const plan = makePlan({
    desired,
    actual,
    keys: allKeys(desired, actual),
    rules: { ...input.rules, quarantined: new Set() },
  });
  const byService = groupChanges(plan, desired, actual);
  const unread = unreadParts(input.problems);
  const names = [...new Set([...byService.keys(), ...desired.contributions.keys(), ...unread.keys()])].sort();
  const services = names
    .map((service) => ({
      service,
      changes: byService.get(service) ?? [],
      refusals: [...refusalsOf(desired, service), ...(unread.get(service) ?? [])],
    }))
    .filter((entry) => entry.changes.length > 0 || entry.refusals.length > 0);
  const operations = services.reduce((sum, entry) => sum + entry.changes.length, 0);
  const count = names.filter((name) => name !== '').length;
  return { services, foreign: foreignServers(desired, actual), counts: { services: count, operations } };
}

/** Refusals by the name under which they are shown. */
function unreadParts(problems: readonly ObjectProblem[]): ReadonlyMap<string, readonly Refusal[]> {
  const byName = new Map<string, readonly Refusal[]>();
  for (const { kind, key, source, refusals } of problems) {
    const name = kind === 'Service' && key !== '' ? key : `${kind} ${key === '' ? source : key}`;
    byName.set(name, [...(byName.get(name) ?? []), ...refusals]);
  }
  return byName;
}

function groupChanges(plan: Plan, desired: Desired, actual: Actual): ReadonlyMap<string, readonly PreviewChange[]> {
  const owners = ownersOf(desired);
  const grouped = new Map<string, PreviewChange[]>();
  for (const operation of phases.flatMap((phase): readonly Operation[] => plan[phase])) {
    const key = resourceKeyOf(operation);
    const service = owners.get(key) ?? recordedOwner(actual, key) ?? '';
    const changes = grouped.get(service) ?? [];
    changes.push(describe(operation, actual));
    grouped.set(service, changes);
  }
  return grouped;
}

function ownersOf(desired: Desired): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  for (const [claim] of desired.claims.values()) {
    for (const resource of claim?.frontend.resources ?? []) {
      owners.set(resource.key, claim?.service ?? '');
    }
  }
  return owners;
}

/** The Service in the comment of the ownership element, for what nobody wants any more. */
function recordedOwner(actual: Actual, key: string): string | undefined {
  const server = actual.virtualServers.get(key)?.server;
  const element = actual.elements.get(server === undefined ? key : ownershipKey(server.identity));
  const comment = element !== undefined && 'comment' in element ? element.comment : undefined;
  return comment?.split(':')[0];
}

function describe(operation: Operation, actual: Actual): PreviewChange {
  switch (operation.kind) {
    case 'add-virtual-server':
      return { verb: 'add', what: `virtual server ${resourceKeyOf(operation)}`, detail: operation.server.scheduler };
    case 'edit-virtual-server': {
      const before = actual.virtualServers.get(resourceKeyOf(operation))?.server;
      const detail = `${before?.scheduler ?? ''} to ${operation.server.scheduler}, persistence ${before?.timeoutSeconds ?? 0} s to ${operation.server.timeoutSeconds} s`;
      return { verb: 'change', what: `virtual server ${resourceKeyOf(operation)}`, detail };
    }
    case 'remove-virtual-server':
      return { verb: 'remove', what: `virtual server ${resourceKeyOf(operation)}` };
    case 'add-destination':
    case 'edit-destination':
    case 'remove-destination':
      return describeDestination(operation);
    case 'add-vip':
      return { verb: 'add', what: `VIP ${operation.vip.address}`, detail: `source ${operation.vip.source ?? 'none'}` };
    case 'remove-vip':
      return { verb: 'remove', what: `VIP ${operation.address}` };
    case 'add-element':
      return { verb: 'add', what: `element ${resourceKeyOf(operation)}` };
    case 'remove-element':
      return { verb: 'remove', what: `element ${resourceKeyOf(operation)}` };
  }
}

type DestinationOperation = Extract<Operation, { kind: `${string}-destination` }>;

function describeDestination(operation: DestinationOperation): PreviewChange {
  const { weight } = operation.destination;
  const what = `destination ${destinationKey(operation.destination)} of ${resourceKeyOf(operation)}`;
  switch (operation.kind) {
    case 'add-destination':
      return { verb: 'add', what, detail: `weight ${weight}` };
    case 'edit-destination':
      return { verb: 'change', what, detail: `weight ${weight}` };
    case 'remove-destination':
      return { verb: 'remove', what };
  }
}

function foreignServers(desired: Desired, actual: Actual): readonly string[] {
  return [...actual.virtualServers]
    .filter(([key, { server }]) => !desired.resources.has(key) && !actual.elements.has(ownershipKey(server.identity)))
    .map(([key]) => key)
    .sort();
}
