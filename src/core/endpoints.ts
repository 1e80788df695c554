/**
 * Which endpoints serve a Service port: `CategorizeEndpoints` of kube-proxy's pkg/proxy/topology.go, which all of its
 * backends share, as one pure function.
 */

import { destinationKey } from './keys.ts';
import type { NodePlace } from './model/context.ts';
import type { EndpointFact, EndpointSliceFact, Family, ServiceFact, ServicePortFact } from './model/facts.ts';

/** An endpoint with the port that one Service port leads to. */
export interface Backend {
  /** `10.1.0.2:8080`. */
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly isLocal: boolean;
  readonly endpoint: EndpointFact;
}

export interface Selection {
  /** For policy Cluster. */
  readonly cluster: readonly Backend[];
  /** For policy Local. */
  readonly local: readonly Backend[];
  /** False: new connections are refused. True with an empty list: they are dropped. */
  readonly hasAny: boolean;
}

/**
 * Every endpoint of one family that carries the port, whatever its condition, in the order of the text `ip:port`.
 * Of duplicates the last wins, except that a terminating endpoint never replaces another one (a pod's address may
 * have been given to a new pod; kubernetes/kubernetes 1.36).
 */
export function gatherBackends(
  slices: Iterable<EndpointSliceFact>,
  family: Family,
  port: Pick<ServicePortFact, 'name' | 'protocol'>,
  node: NodePlace,
): readonly Backend[] {
  const byKey = new Map<string, Backend>();
  for (const slice of slices) {
    if (slice.family !== family) {
      continue;
    }
    for (const slicePort of slice.ports) {
      if (slicePort.name === port.name && slicePort.protocol === port.protocol) {
        addEndpoints(byKey, slice, slicePort.port, node);
      }
    }
  }
  return [...byKey.values()].sort((one, other) => (one.key < other.key ? -1 : 1));
}

/** Applies traffic policies, topology hints and the fallback to terminating endpoints (KEP-1669). */
export function selectBackends(
  backends: readonly Backend[],
  policies: { readonly usesCluster: boolean; readonly usesLocal: boolean },
  node: NodePlace,
): Selection {
  const ready = backends.filter((backend) => backend.endpoint.ready);
  const fallback = backends.filter(isServingWhileTerminating);
  const cluster = policies.usesCluster ? orElse(hinted(ready, node), fallback) : [];
  const local = policies.usesLocal ? orElse(ready.filter(isLocal), fallback.filter(isLocal)) : [];
  const existsAnywhere = policies.usesLocal && (ready.length > 0 || fallback.length > 0);
  return { cluster, local, hasAny: cluster.length > 0 || existsAnywhere };
}

/**
 * The most destinations of one virtual server: three times what the largest clusters that Kubernetes is tested with have
 * nodes. What is beyond is a mistake or an attack, and each costs memory in the kernel of every node.
 */
export const mostBackends = 16_384;

/** The same object unless it is too large. The order of backends is the same on every node, so the same ones are left out. */
export function limitSelection(selection: Selection): Selection {
  const { cluster, local, hasAny } = selection;
  return Math.max(cluster.length, local.length) <= mostBackends
    ? selection
    : { cluster: cluster.slice(0, mostBackends), local: local.slice(0, mostBackends), hasAny };
}

/** Which lists a Service needs. externalIPs make it externally accessible like a node port or a load balancer. */
export function policiesOf(
  service: Pick<ServiceFact, 'externalIPs' | 'loadBalancerIPs' | 'internalTrafficPolicy' | 'externalTrafficPolicy'>,
  port: Pick<ServicePortFact, 'nodePort'>,
): { readonly usesCluster: boolean; readonly usesLocal: boolean } {
  const externallyAccessible = isExternallyAccessible(service, port);
  const internalLocal = service.internalTrafficPolicy === 'Local';
  return {
    usesCluster: !internalLocal || externallyAccessible,
    usesLocal: internalLocal || (service.externalTrafficPolicy === 'Local' && externallyAccessible),
  };
}

/** Whether anything but the ClusterIP leads to the port. */
export function isExternallyAccessible(
  service: Pick<ServiceFact, 'externalIPs' | 'loadBalancerIPs'>,
  port: Pick<ServicePortFact, 'nodePort'>,
): boolean {
  return port.nodePort !== 0 || service.loadBalancerIPs.length > 0 || service.externalIPs.length > 0;
}

function addEndpoints(byKey: Map<string, Backend>, slice: EndpointSliceFact, port: number, node: NodePlace): void {
  for (const endpoint of slice.endpoints) {
    const key = destinationKey({ address: endpoint.address, port });
    if (endpoint.terminating && byKey.has(key)) {
      continue;
    }
    byKey.set(key, {
      key,
      address: endpoint.address,
      port,
      weight: slice.weight,
      isLocal: endpoint.nodeName === node.name,
      endpoint,
    });
  }
}

/** Hints count only if every ready endpoint has one and one of them names this node, or else this zone. */
function hinted(ready: readonly Backend[], node: NodePlace): readonly Backend[] {
  const hasNode = (backend: Backend): boolean => backend.endpoint.nodeHints?.includes(node.name) ?? false;
  const hasZone = (backend: Backend): boolean =>
    node.zone !== '' && (backend.endpoint.zoneHints?.includes(node.zone) ?? false);
  const allHaveNodes = ready.every((backend) => (backend.endpoint.nodeHints?.length ?? 0) > 0);
  if (allHaveNodes && ready.some(hasNode)) {
    return ready.filter(hasNode);
  }
  const allHaveZones = ready.every((backend) => (backend.endpoint.zoneHints?.length ?? 0) > 0);
  return allHaveZones && ready.some(hasZone) ? ready.filter(hasZone) : ready;
}

function isServingWhileTerminating(backend: Backend): boolean {
  return backend.endpoint.serving && backend.endpoint.terminating;
}

function isLocal(backend: Backend): boolean {
  return backend.isLocal;
}

function orElse(preferred: readonly Backend[], otherwise: readonly Backend[]): readonly Backend[] {
  return preferred.length > 0 ? preferred : otherwise;
}
