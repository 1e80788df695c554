/**
 * Direct server return: clients outside reach the external and load-balancer IPs of a Service through a tunnel, and the
 * endpoint answers them itself. On top of the frontend as every Service has it, which serves pods, processes of the node
 * and flows from before, there is a virtual server by firewall mark for clients outside.
 */

import { addressBits } from './address.ts';
import type { Backend } from './endpoints.ts';
import { filterElementKey, virtualServerKey } from './keys.ts';
import type { CompileContext } from './model/context.ts';
import type { EndpointFact } from './model/facts.ts';
import type { FilterElement } from './model/filter-element.ts';
import type { PodTunnelState } from './model/pod-tunnel.ts';
import type { Refusal } from './model/reason.ts';
import type { Resource } from './model/resource.ts';
import type { Destination, VirtualServerIdentity } from './model/virtual-server.ts';
import type { DirectReturn, Place, PortView } from './port-view.ts';

/** A packet through a tunnel keeps its port, and an endpoint with the address of a node has no tunnel of its own. */
export function refuseDirectReturn(
  { port, backends }: { readonly port: number; readonly backends: readonly Backend[] },
  origin: string,
  isNodeAddress: (address: string) => boolean,
): Refusal | undefined {
  const moved = backends.find((backend) => backend.port !== port);
  if (moved !== undefined) {
    const expected = `endpoints on the Service's own port ${port}: a tunnel does not translate it; answers come back through this node`;
    return { reason: 'direct-return-port-differs', subject: origin, found: `target port ${moved.port}`, expected };
  }
  const node = backends.find(({ address }) => isNodeAddress(address));
  if (node !== undefined) {
    const expected = 'pods with addresses of their own (no hostNetwork); answers come back through this node';
    return { reason: 'direct-return-host-network', subject: origin, found: node.address, expected };
  }
  return undefined;
}

/** What a VIP of a Service port needs besides its ordinary frontend. */
export function directView(
  place: Place,
  view: PortView,
  direct: DirectReturn,
  context: CompileContext,
): readonly Resource[] {
  const { address, port } = place;
  const { family, protocol, service, origin } = view;
  const identity: VirtualServerIdentity = { kind: 'fwmark', family, mark: direct.mark };
  const backends = view.externalLocal ? view.selection.local : view.selection.cluster;
  const tunnels = direct.localBackends.flatMap((backend) => podTunnel(backend, address, view, direct));
  const forwarding = direct.encapsulation === 'gue' ? 'gue' : 'tunnel';
  const reachable = new Set(backends.filter((backend) => isReachable(backend, address, context)));
  if (reachable.size === 0) {
    // Nobody is ready to answer directly: clients outside are served like all others, and pods are prepared meanwhile.
    return [...steering(address, direct, context), ...tunnels];
  }
  const { scheduler, flags, timeoutSeconds } = view;
  const destinations: Destination[] = [];
  for (const backend of backends) {
    // The table of mh follows the order of the kernel's list, and only what has a weight is in it: with its place kept
    // from the start, a node's own pod comes in the same order as on all other nodes (ip_vs_mh.c, ip_vs_mh_populate).
    if (reachable.has(backend) || scheduler === 'mh') {
      const weight = reachable.has(backend) ? backend.weight : 0;
      destinations.push({ address: backend.address, port: backend.port, weight, forwarding });
    }
  }
  const server = { identity, scheduler, flags, timeoutSeconds, prefixLength: addressBits(family) };
  const value = { server, destinations, protocol, service, origin };
  return [
    { kind: 'virtual-server', key: virtualServerKey(identity), value },
    element({ set: 'fwmarks', family, mark: direct.mark, comment: origin }),
    element({ set: 'direct_view', address, protocol, port, mark: direct.mark }),
    element({ set: 'direct_return', address, encapsulation: direct.encapsulation }),
    ...tunnels,
  ];
}

/**
 * Other nodes may send clients to a pod of this node as soon as it is ready, which may not be known here yet, or though
 * topology hints keep this node from it. Its answers are no forgeries from the moment it can answer.
 */
function steering(
  address: string,
  { localBackends, encapsulation }: DirectReturn,
  { podTunnels }: CompileContext,
): readonly Resource[] {
  const isPrepared = localBackends.some((backend) => holds(podTunnels.get(backend.address), address));
  return isPrepared ? [element({ set: 'direct_return', address, encapsulation })] : [];
}

/** Why endpoints of this node get no clients from outside yet; those that are still being prepared are not told of. */
export function tunnelRefusals(direct: DirectReturn, view: PortView, context: CompileContext): readonly Refusal[] {
  return direct.localBackends.flatMap(({ address, endpoint }): readonly Refusal[] => {
    const state = context.podTunnels.get(address);
    const subject = `${view.origin} at ${podOf(endpoint, view.service) ?? address}`;
    return state?.kind === 'failed'
      ? [{ reason: state.reason, subject, found: state.found, expected: state.expected }]
      : [];
  });
}

/** Endpoints of other nodes are prepared there, from the moment a slice lists them. */
function isReachable(backend: Backend, vip: string, { podTunnels }: CompileContext): boolean {
  return !backend.isLocal || holds(podTunnels.get(backend.address), vip);
}

function holds(state: PodTunnelState | undefined, vip: string): boolean {
  return state?.kind === 'prepared' && state.vips.includes(vip);
}

function podTunnel(
  { address, endpoint }: Backend,
  vip: string,
  { service }: PortView,
  { encapsulation }: DirectReturn,
): readonly Resource[] {
  const pod = podOf(endpoint, service);
  if (pod === undefined) {
    return [];
  }
  const value = { address, pod, vip, encapsulation, service };
  return [{ kind: 'pod-tunnel', key: `pod-tunnel ${service} ${address} ${vip}`, value }];
}

/** `namespace/name` of the pod behind an endpoint of a Service; its slices are in the Service's namespace. */
function podOf({ target }: EndpointFact, service: string): string | undefined {
  return target === undefined || target.includes('/') ? target : `${service.slice(0, service.indexOf('/'))}/${target}`;
}

function element(value: FilterElement): Resource {
  return { kind: 'element', key: filterElementKey(value), value };
}
