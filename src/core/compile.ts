/** One Service and its endpoints → what the node should hold for it, or why not. */

import { familyOf } from './address.ts';
import { readWishes, type ServiceWishes } from './annotations.ts';
import { gatherBackends, policiesOf, type Selection, selectBackends } from './endpoints.ts';
import { type ExternalPlace, externalFrontend, internalFrontend, type PortView } from './frontends.ts';
import { healthCheckFrontend } from './health-checks.ts';
import { frontendKey } from './keys.ts';
import type { CompileContext } from './model/context.ts';
import {
  type EndpointSliceFact,
  type Family,
  families,
  type ServiceFact,
  type ServicePortFact,
} from './model/facts.ts';
import type { Refusal } from './model/reason.ts';
import type { Contribution, Frontend } from './model/resource.ts';
import { virtualServerFlags } from './model/virtual-server.ts';
import { allowedSources } from './source-ranges.ts';

/** The mark of a Service port's inside view; undefined when none is left. `frontends` are the keys that will carry it. */
export type MarkOf = (view: string, frontends: readonly string[]) => number | undefined;

export interface CompileInput {
  readonly service: ServiceFact;
  readonly slices: readonly EndpointSliceFact[];
  readonly context: CompileContext;
  readonly last: Contribution | undefined;
  readonly markOf: MarkOf;
}

export function compileService(input: CompileInput): Contribution {
  const { service, context, last } = input;
  const wishes = readWishes(service, { ...context.schedulers, last: last?.scheduler });
  const effective = withWishes(service, wishes);
  const refusals: Refusal[] = [...wishes.refusals];
  const frontends = new Map<string, Frontend>();
  for (const family of families) {
    const clusterIP = effective.clusterIPs.find((address) => familyOf(address) === family);
    if (clusterIP === undefined) {
      continue;
    }
    for (const port of effective.ports) {
      const view = viewOf(input, effective, { family, port, wishes });
      addPort({ frontends, refusals, service: effective, clusterIP, port, view, context, markOf: input.markOf });
    }
  }
  addHealthCheck(input, frontends, refusals);
  return {
    service: service.key,
    createdAt: service.createdAt,
    scheduler: wishes.scheduler,
    frontends: [...frontends.values()],
    refusals,
  };
}

function addHealthCheck(input: CompileInput, frontends: Map<string, Frontend>, refusals: Refusal[]): void {
  const found = healthCheckFrontend(input);
  if (found === undefined) {
    return;
  }
  if ('reason' in found) {
    refusals.push(found);
  } else {
    frontends.set(found.key, found);
  }
}

/** kube-router's `service.local` and `service.skiplbips` change what the spec says before anything is derived from it. */
function withWishes(service: ServiceFact, wishes: ServiceWishes): ServiceFact {
  if (!wishes.forcesExternalLocal && !wishes.ignoresLoadBalancerIPs) {
    return service;
  }
  return {
    ...service,
    ...(wishes.forcesExternalLocal ? { externalTrafficPolicy: 'Local', internalTrafficPolicy: 'Cluster' } : {}),
    ...(wishes.ignoresLoadBalancerIPs ? { loadBalancerIPs: [] } : {}),
  };
}

function viewOf(
  input: CompileInput,
  service: ServiceFact,
  part: { readonly family: Family; readonly port: ServicePortFact; readonly wishes: ServiceWishes },
): PortView {
  const { family, port, wishes } = part;
  const backends = gatherBackends(input.slices, family, port, input.context.node);
  const selection: Selection = selectBackends(backends, policiesOf(service, port), input.context.node);
  const persistent = service.affinityTimeoutSeconds !== undefined;
  return {
    service: service.key,
    origin: `${service.key}${port.name === '' ? '' : `:${port.name}`}`,
    family,
    protocol: port.protocol,
    selection,
    scheduler: wishes.scheduler,
    flags: wishes.schedulerFlags | (persistent ? virtualServerFlags.persistent : 0),
    timeoutSeconds: service.affinityTimeoutSeconds ?? 0,
    internalLocal: service.internalTrafficPolicy === 'Local',
    externalLocal: service.externalTrafficPolicy === 'Local',
    allowedSources: allowedSources(service.loadBalancerSourceRanges, family),
  };
}

interface PortJob {
  readonly frontends: Map<string, Frontend>;
  readonly refusals: Refusal[];
  readonly service: ServiceFact;
  readonly clusterIP: string;
  readonly port: ServicePortFact;
  readonly view: PortView;
  readonly context: CompileContext;
  readonly markOf: MarkOf;
}

/** The first claim of a Service on a frontend stands: an externalIP may repeat the ClusterIP or a load-balancer IP. */
function addPort(job: PortJob): void {
  const { frontends, view, context } = job;
  const add = (frontend: Frontend): void => {
    if (!frontends.has(frontend.key)) {
      frontends.set(frontend.key, frontend);
    }
  };
  add(internalFrontend({ address: job.clusterIP, port: job.port.port }, view, context));
  const places = externalPlaces(job);
  const mark = view.externalLocal && places.length > 0 ? insideMark(job, places) : undefined;
  for (const place of places) {
    add(externalFrontend(place, view, context, mark));
  }
}

/** An address that is an externalIP and a load-balancer IP of the Service is restricted as the latter. */
function externalPlaces(job: PortJob): readonly ExternalPlace[] {
  const ofFamily = (address: string): boolean => familyOf(address) === job.view.family;
  const vips = [...job.service.externalIPs, ...job.service.loadBalancerIPs].filter(ofFamily);
  const loadBalancerIPs = new Set(job.service.loadBalancerIPs);
  const places: ExternalPlace[] = vips.map((address) => ({
    address,
    port: job.port.port,
    isLoadBalancerIP: loadBalancerIPs.has(address),
  }));
  if (job.port.nodePort !== 0) {
    for (const address of job.context.nodePortAddresses.filter(ofFamily)) {
      places.push({ address, port: job.port.nodePort, isLoadBalancerIP: false });
    }
  }
  return places;
}

function insideMark(job: PortJob, places: readonly ExternalPlace[]): number | undefined {
  const { view } = job;
  const keys = places.map((place) => frontendKey(view.protocol, place.address, place.port));
  const mark = job.markOf(`${view.origin} ${view.protocol} ${view.family}`, keys);
  if (mark === undefined) {
    const expected = 'a free mark inside --fwmark-mask; clients in the cluster see local endpoints only';
    job.refusals.push({ reason: 'fwmarks-exhausted', subject: view.origin, found: 'none free', expected });
  }
  return mark;
}
