/** One Service and its endpoints → what the node should hold for it, or why not. */

import { familyOf } from './address.ts';
import type { AddressIndex } from './address-index.ts';
import { admitAddresses, refuseClusterIP, refusePort } from './admit-addresses.ts';
import { insideScheduling, keepsClients, type Scheduling } from './affinity.ts';
import { readWishes, type ServiceWishes } from './annotations.ts';
import { refuseDirectReturn, tunnelRefusals } from './direct-return.ts';
import {
  type Backend,
  gatherBackends,
  limitSelection,
  mostBackends,
  policiesOf,
  type Selection,
  selectBackends,
} from './endpoints.ts';
import { exactList } from './exact-list.ts';
import { externalFrontend, internalFrontend } from './frontends.ts';
import { type HealthCheckInput, healthCheckFrontend } from './health-checks.ts';
import { frontendKey } from './keys.ts';
import { localGapsOf } from './local-gaps.ts';
import type { CompileContext } from './model/context.ts';
import {
  type EndpointSliceFact,
  type Family,
  families,
  type ServiceFact,
  type ServicePortFact,
} from './model/facts.ts';
import type { ViewSet } from './model/filter-element.ts';
import type { Encapsulation } from './model/pod-tunnel.ts';
import type { Refusal } from './model/reason.ts';
import type { Contribution, Frontend, LocalGap } from './model/resource.ts';
import { virtualServerFlags } from './model/virtual-server.ts';
import type { DirectReturn, ExternalPlace, PortView } from './port-view.ts';
import { shareContribution } from './share-contribution.ts';
import { allowedSources } from './source-ranges.ts';

/** The mark of a Service port's view; undefined when none is left. `frontends` are the keys that will carry it. */
export type MarkOf = (set: ViewSet, view: string, frontends: readonly string[]) => number | undefined;

export interface CompileInput {
  readonly service: ServiceFact;
  readonly slices: readonly EndpointSliceFact[];
  readonly context: CompileContext;
  /** Who has which address in the cluster. */
  readonly addresses: AddressIndex;
  readonly last: Contribution | undefined;
  readonly markOf: MarkOf;
}

export function compileService(input: CompileInput): Contribution {
  const { service, context, last } = input;
  const wishes = readWishes(service, { ...context.schedulers, last: last?.scheduler });
  const effective = withWishes(service, wishes);
  const admission = admitAddresses({ service: effective, context, addresses: input.addresses });
  const vips = { addresses: admission.addresses, loadBalancerIPs: effective.loadBalancerIPs };
  const refusals: Refusal[] = [...wishes.refusals, ...admission.refusals];
  const frontends = new Map<string, Frontend>();
  const localGaps: LocalGap[] = [];
  for (const family of families) {
    const clusterIP = effective.clusterIPs.find((address) => familyOf(address) === family);
    if (clusterIP === undefined) {
      continue;
    }
    const views = effective.ports.map((port) => ({
      port,
      view: viewOf(input, effective, { family, port, wishes }, refusals),
    }));
    for (const { port, view } of views) {
      addPort({ input, frontends, refusals, clusterIP, vips, port, view, encapsulation: wishes.directReturn });
    }
    localGaps.push(...localGapsOf(effective, views, family));
  }
  const loadBalancerIPs = vips.loadBalancerIPs.filter((address) => vips.addresses.includes(address));
  addHealthCheck({ ...input, loadBalancerIPs }, frontends, refusals);
  const made: Contribution = {
    service: service.key,
    createdAt: service.createdAt,
    scheduler: wishes.scheduler,
    frontends: [...frontends.values()],
    refusals: exactList(refusals),
    localGaps: exactList(localGaps),
  };
  return last === undefined ? made : shareContribution(made, last);
}

function addHealthCheck(input: HealthCheckInput, frontends: Map<string, Frontend>, refusals: Refusal[]): void {
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

/** A view before it is known whether it is direct, with every endpoint that carries the port. */
interface FullView extends PortView {
  readonly backends: readonly Backend[];
}

function viewOf(
  input: CompileInput,
  service: ServiceFact,
  part: { readonly family: Family; readonly port: ServicePortFact; readonly wishes: ServiceWishes },
  refusals: Refusal[],
): FullView {
  const { family, port, wishes } = part;
  const backends = gatherBackends(input.slices, family, port, input.context.node);
  const all: Selection = selectBackends(backends, policiesOf(service, port), input.context.node);
  const selection = limitSelection(all);
  const origin = `${service.key}${port.name === '' ? '' : `:${port.name}`}`;
  if (selection !== all) {
    const found = `${Math.max(all.cluster.length, all.local.length)} ${family} endpoints`;
    refusals.push({ reason: 'too-many-endpoints', subject: origin, found, expected: `at most ${mostBackends}` });
  }
  const persistent = service.affinityTimeoutSeconds !== undefined;
  const scheduling: Scheduling = {
    scheduler: wishes.scheduler,
    flags: wishes.schedulerFlags | (persistent ? virtualServerFlags.persistent : 0),
    timeoutSeconds: service.affinityTimeoutSeconds ?? 0,
  };
  return {
    service: service.key,
    origin,
    family,
    protocol: port.protocol,
    selection,
    ...scheduling,
    inside: insideScheduling(scheduling, input.context.schedulers.available),
    internalLocal: service.internalTrafficPolicy === 'Local',
    externalLocal: service.externalTrafficPolicy === 'Local',
    allowedSources: allowedSources(service.loadBalancerSourceRanges, family),
    directReturn: undefined,
    backends,
  };
}

interface PortJob {
  readonly input: CompileInput;
  readonly frontends: Map<string, Frontend>;
  readonly refusals: Refusal[];
  readonly clusterIP: string;
  readonly vips: {
    /** The externalIPs and load-balancer IPs that the Service may have. */
    readonly addresses: readonly string[];
    readonly loadBalancerIPs: readonly string[];
  };
  readonly port: ServicePortFact;
  readonly view: FullView;
  readonly encapsulation: Encapsulation | undefined;
}

/** The first claim of a Service on a frontend stands: an externalIP may repeat the ClusterIP or a load-balancer IP. */
function addPort(job: PortJob): void {
  const { frontends, view } = job;
  const { context } = job.input;
  const add = (frontend: Frontend): void => {
    if (!frontends.has(frontend.key)) {
      frontends.set(frontend.key, frontend);
    }
  };
  const refusal = refuseClusterIP(job.clusterIP, job.input);
  if (refusal === undefined) {
    add(internalFrontend({ address: job.clusterIP, port: job.port.port }, view, context));
  } else {
    refuse(job, refusal);
  }
  const places = externalPlaces(job);
  const mark = view.externalLocal && places.length > 0 ? insideMark(job, places) : undefined;
  const directReturn = directReturnOf(job, places);
  for (const place of places) {
    add(externalFrontend(place, { ...view, directReturn }, context, mark));
  }
}

/** An address that is an externalIP and a load-balancer IP of the Service is restricted as the latter. */
function externalPlaces(job: PortJob): readonly ExternalPlace[] {
  const ofFamily = (address: string): boolean => familyOf(address) === job.view.family;
  const { context } = job.input;
  const places: ExternalPlace[] = [];
  for (const address of job.vips.addresses.filter(ofFamily)) {
    const isLoadBalancerIP = job.vips.loadBalancerIPs.includes(address);
    const place = { address, port: job.port.port, isLoadBalancerIP };
    const refusal = job.view.protocol === 'TCP' ? refusePort(place, job.input) : undefined;
    if (refusal === undefined) {
      places.push(place);
    } else {
      refuse(job, refusal);
    }
  }
  if (job.port.nodePort !== 0) {
    for (const address of context.nodePortAddresses.filter(ofFamily)) {
      places.push({ address, port: job.port.nodePort, isLoadBalancerIP: false });
    }
  }
  return places;
}

/** Once for all ports. */
function refuse({ refusals }: PortJob, refusal: Refusal): void {
  if (!refusals.some((each) => each.reason === refusal.reason && each.found === refusal.found)) {
    refusals.push(refusal);
  }
}

function directReturnOf(job: PortJob, places: readonly ExternalPlace[]): DirectReturn | undefined {
  const { encapsulation, view, input } = job;
  const { nodeAddresses, hasDirectReturn } = input.context;
  const vips = places.filter(({ address }) => !nodeAddresses.has(address));
  if (encapsulation === undefined || vips.length === 0) {
    return undefined;
  }
  const subject = view.origin;
  const found = 'direct return is off on this node';
  const refusal: Refusal | undefined = hasDirectReturn
    ? refuseDirectReturn({ port: job.port.port, backends: view.backends }, subject, (address) =>
        isOfNode(input, address),
      )
    : { reason: 'direct-return-off', subject, found, expected: '--direct-return; answers come back through this node' };
  if (refusal !== undefined) {
    job.refusals.push(refusal);
    return undefined;
  }
  const keys = vips.map((place) => frontendKey(view.protocol, place.address, place.port));
  const mark = input.markOf('direct_view', `${view.origin} ${view.protocol} ${view.family}`, keys);
  if (mark === undefined) {
    const expected = 'a free mark inside --fwmark-mask; answers come back through this node';
    job.refusals.push({ reason: 'fwmarks-exhausted', subject, found: 'none free', expected });
    return undefined;
  }
  const direct = { encapsulation, mark, localBackends: view.backends.filter(({ isLocal }) => isLocal) };
  job.refusals.push(...tunnelRefusals(direct, view, input.context));
  return direct;
}

function isOfNode({ addresses, context }: CompileInput, address: string): boolean {
  return context.nodeAddresses.has(address) || addresses.nodes.has(address);
}

function insideMark(job: PortJob, places: readonly ExternalPlace[]): number | undefined {
  const { view } = job;
  const keys = places.map((place) => frontendKey(view.protocol, place.address, place.port));
  const mark = job.input.markOf('inside_view', `${view.origin} ${view.protocol} ${view.family}`, keys);
  if (mark === undefined) {
    const expected = 'a free mark inside --fwmark-mask; clients in the cluster see local endpoints only';
    job.refusals.push({ reason: 'fwmarks-exhausted', subject: view.origin, found: 'none free', expected });
  } else if (keepsClients(view) && !keepsClients(view.inside)) {
    const expected = 'a scheduler that hashes (load ip_vs_mh); clients in the cluster have no session affinity';
    job.refusals.push({
      reason: 'scheduler-not-in-kernel',
      subject: view.origin,
      found: 'neither mh nor sh',
      expected,
    });
  }
  return mark;
}
