/**
 * Which server a Service's `healthCheckNodePort` asks for, and what it says: kube-proxy's pkg/proxy/healthcheck
 * (service_health.go) with the counts of pkg/proxy/endpoints.go (LocalReadyEndpoints).
 */

import { familyOf } from './address.ts';
import { filterElementKey, healthCheckKey } from './keys.ts';
import type { CompileContext } from './model/context.ts';
import type { EndpointSliceFact, Family, ServiceFact } from './model/facts.ts';
import type { FilterElement } from './model/filter-element.ts';
import type { HealthCheck, HealthCheckListener } from './model/health-check.ts';
import type { Refusal } from './model/reason.ts';
import type { Frontend, Resource } from './model/resource.ts';

export interface HealthCheckInput {
  /** As the API has it: a policy that an annotation forces comes without a port from the API server. */
  readonly service: ServiceFact;
  readonly slices: readonly EndpointSliceFact[];
  readonly context: CompileContext;
  /** The load-balancer IPs that the Service may have. */
  readonly loadBalancerIPs: readonly string[];
}

/** The claim of a Service on its port, or why it has none; undefined when it asks for no health check. */
export function healthCheckFrontend(input: HealthCheckInput): Frontend | Refusal | undefined {
  const { service, context } = input;
  if (service.type !== 'LoadBalancer' || service.externalTrafficPolicy !== 'Local') {
    return undefined;
  }
  const { healthCheckNodePort: port } = service;
  const subject = 'spec.healthCheckNodePort';
  if (port === 0) {
    const expected = 'a port, which the API server gives to a load balancer with externalTrafficPolicy Local';
    return { reason: 'health-check-port-missing', subject, found: 'none', expected };
  }
  const occupant = context.reservedPorts.get(port);
  if (occupant !== undefined) {
    const expected = 'a port that the agent does not listen on itself';
    return { reason: 'health-check-port-reserved', subject, found: `${port}, ${occupant}`, expected };
  }
  const key = healthCheckKey(port);
  const resource: Resource = { kind: 'health-check', key, value: healthCheck(input) };
  return { key, resources: [resource, ...reachableOnVips(input)] };
}

/** A family in which the Service has no ClusterIP has no server. */
function healthCheck({ service, slices, context }: HealthCheckInput): HealthCheck {
  const listeners = service.clusterIPs.map(familyOf).flatMap((family): readonly HealthCheckListener[] => {
    const localEndpoints = countLocal(slices, family, context.node.name);
    const addresses = context.healthCheckAddresses.filter((address) => familyOf(address) === family);
    return addresses.map((address) => ({ address, family, localEndpoints }));
  });
  return { port: service.healthCheckNodePort, namespace: service.namespace, name: service.name, listeners };
}

/** Addresses, not endpoints: two ports of one pod count once. */
function countLocal(slices: readonly EndpointSliceFact[], family: Family, nodeName: string): number {
  const addresses = new Set<string>();
  for (const slice of slices) {
    if (slice.family !== family) {
      continue;
    }
    for (const endpoint of slice.endpoints) {
      if (endpoint.ready && endpoint.nodeName === nodeName) {
        addresses.add(endpoint.address);
      }
    }
  }
  return addresses.size;
}

/**
 * Some clouds probe the load balancer's address itself, whose other ports are rejected: the health check's port is let
 * through (kubernetes/kubernetes#115019). A VIP that is an address of the node is not guarded in the first place.
 */
function reachableOnVips({ service, context, loadBalancerIPs }: HealthCheckInput): readonly Resource[] {
  const vips = loadBalancerIPs.filter((address) => !context.nodeAddresses.has(address));
  return vips.map((address) => {
    const value: FilterElement = { set: 'health_check', address, protocol: 'TCP', port: service.healthCheckNodePort };
    return { kind: 'element', key: filterElementKey(value), value };
  });
}
