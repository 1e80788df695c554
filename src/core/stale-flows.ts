/**
 * Which UDP flows lead nowhere: the client sends to a Service, and connection tracking takes the datagrams to something
 * that is no serving endpoint of it. IPVS does not come into it: its own connections the kernel ends when a destination
 * is removed (net.ipv4.vs.expire_nodest_conn). What is left are flows whose conntrack entry is older than the virtual
 * server (datagrams that went out by the default route: their entry cannot be altered any more, so masquerade does not
 * apply to them), and flows that another proxy translated.
 */

import { familyOf, formatEndpoint } from './address.ts';
import type { Desired } from './desired.ts';
import { gatherBackends } from './endpoints.ts';
import { type Facts, slicesOf } from './facts.ts';
import { destinationKey, frontendKey } from './keys.ts';
import type { CompileContext } from './model/context.ts';
import type { Family, ServiceFact, ServicePortFact } from './model/facts.ts';
import type { UdpFlow } from './model/flow.ts';
import { endsStep, type Steps } from './steps.ts';

/** Where flows of one family may lead, by what the client sends to. */
export interface FlowTargets {
  /** By `10.96.0.10:53`. */
  readonly frontends: ReadonlyMap<string, FlowTarget>;
  /** By node port, on every address of the node. */
  readonly nodePorts: ReadonlyMap<number, FlowTarget>;
  readonly nodeAddresses: ReadonlySet<string>;
}

interface FlowTarget {
  /** `namespace/name`. */
  readonly service: string;
  /** Endpoints as `destinationKey`. */
  readonly serving: ReadonlySet<string>;
}

export interface FlowTargetsInput {
  readonly facts: Facts;
  /** Who owns a frontend; one that is refused nobody owns. */
  readonly desired: Pick<Desired, 'claims'>;
  readonly context: Pick<CompileContext, 'node' | 'nodeAddresses'>;
}

/**
 * What the UDP ports of these Services have to say, in steps. A port without a serving endpoint says nothing: nothing is
 * better.
 */
export function* flowTargets(input: FlowTargetsInput, services: Iterable<string>, family: Family): Steps<FlowTargets> {
  const frontends = new Map<string, FlowTarget>();
  const nodePorts = new Map<number, FlowTarget>();
  let nth = 0;
  for (const key of services) {
    if (endsStep(nth, stepServices)) {
      yield;
    }
    nth += 1;
    const service = input.facts.services.get(key);
    for (const port of service?.ports ?? []) {
      const serving =
        service !== undefined && port.protocol === 'UDP' ? servingOf(input, key, family, port) : noEndpoint;
      if (service === undefined || serving.size === 0) {
        continue;
      }
      const target: FlowTarget = { service: key, serving };
      for (const address of ownAddresses(input, service, port, family)) {
        const end = formatEndpoint(address, port.port);
        frontends.set(end, isDirect(input, address, port) ? withItself(target, end) : target);
      }
      if (port.nodePort !== 0) {
        nodePorts.set(port.nodePort, target);
      }
    }
  }
  return { frontends, nodePorts, nodeAddresses: input.context.nodeAddresses };
}

/** `unsure` are Services that changed since the targets were made: of their flows nothing is said. */
export function isStale(flow: UdpFlow, targets: FlowTargets, unsure: ReadonlySet<string> = new Set()): boolean {
  const { address, port } = flow.destination;
  const target =
    targets.frontends.get(formatEndpoint(address, port)) ??
    (targets.nodeAddresses.has(address) ? targets.nodePorts.get(port) : undefined);
  return target !== undefined && !unsure.has(target.service) && !target.serving.has(destinationKey(flow.replySource));
}

const stepServices = 64;

const noEndpoint: ReadonlySet<string> = new Set();

/** A ready endpoint counts even if it does not serve (publishNotReadyAddresses): it is a destination. */
function servingOf(
  { facts, context }: FlowTargetsInput,
  service: string,
  family: Family,
  port: ServicePortFact,
): ReadonlySet<string> {
  const backends = gatherBackends(slicesOf(facts, service), family, port, context.node);
  return new Set(backends.filter(({ endpoint }) => endpoint.serving || endpoint.ready).map((backend) => backend.key));
}

/** Whether endpoints answer clients outside from the address itself (direct return). */
function isDirect({ desired }: FlowTargetsInput, address: string, { port }: ServicePortFact): boolean {
  const [claim] = desired.claims.get(frontendKey('UDP', address, port)) ?? [];
  return (
    claim?.frontend.resources.some(({ kind, value }) => kind === 'element' && value.set === 'direct_view') ?? false
  );
}

/** What a tunnel carries is not translated, so that the answers seem to come from where the client asked. */
function withItself({ service, serving }: FlowTarget, end: string): FlowTarget {
  return { service, serving: new Set([...serving, end]) };
}

function ownAddresses(
  { desired }: FlowTargetsInput,
  service: ServiceFact,
  port: ServicePortFact,
  family: Family,
): readonly string[] {
  return [...service.clusterIPs, ...service.externalIPs, ...service.loadBalancerIPs].filter((address) => {
    const owner =
      familyOf(address) === family ? desired.claims.get(frontendKey('UDP', address, port.port))?.[0] : undefined;
    return owner?.service === service.key;
  });
}
