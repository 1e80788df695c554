/** Facts with the fields that a test names, and plain defaults for the rest. */

import type {
  EndpointFact,
  EndpointSliceFact,
  NodeFact,
  ServiceFact,
  ServicePortFact,
} from '../../src/core/model/facts.ts';

/** A ClusterIP Service `default/web` with TCP port 80. `key` follows from namespace and name. */
export function service(fields: Partial<Omit<ServiceFact, 'key'>> = {}): ServiceFact {
  const namespace = fields.namespace ?? 'default';
  const name = fields.name ?? 'web';
  return {
    namespace,
    name,
    uid: '',
    createdAt: 1_000,
    type: 'ClusterIP',
    clusterIPs: ['10.96.0.1'],
    externalIPs: [],
    loadBalancerIPs: [],
    loadBalancerSourceRanges: [],
    ports: [servicePort()],
    externalTrafficPolicy: 'Cluster',
    internalTrafficPolicy: 'Cluster',
    affinityTimeoutSeconds: undefined,
    healthCheckNodePort: 0,
    annotations: {},
    ...fields,
    key: `${namespace}/${name}`,
  };
}

/** Unnamed TCP port 80 without a node port. */
export function servicePort(fields: Partial<ServicePortFact> = {}): ServicePortFact {
  return { name: '', protocol: 'TCP', port: 80, nodePort: 0, ...fields };
}

/** The only slice of `default/web`: IPv4, unnamed TCP port 8080, the endpoints given. */
export function slice(
  endpoints: readonly EndpointFact[] = [],
  fields: Partial<Omit<EndpointSliceFact, 'endpoints'>> = {},
): EndpointSliceFact {
  return {
    key: 'default/web-1',
    service: 'default/web',
    family: 'IPv4',
    weight: 1,
    ports: [{ name: '', protocol: 'TCP', port: 8080 }],
    triggeredAt: undefined,
    ...fields,
    endpoints,
  };
}

/** A ready endpoint on another node, without hints. */
export function endpoint(address: string, fields: Partial<Omit<EndpointFact, 'address'>> = {}): EndpointFact {
  return {
    ready: true,
    serving: true,
    terminating: false,
    nodeName: 'node-b',
    zoneHints: undefined,
    nodeHints: undefined,
    target: undefined,
    ...fields,
    address,
  };
}

/** A ready endpoint on our node, `node-a`. */
export function localEndpoint(address: string, fields: Partial<Omit<EndpointFact, 'address'>> = {}): EndpointFact {
  return endpoint(address, { nodeName: 'node-a', ...fields });
}

/** What a terminating pod that still answers looks like. */
export const terminating = { ready: false, serving: true, terminating: true } as const;

/** What a pod that does not answer looks like. */
export const notReady = { ready: false, serving: false, terminating: false } as const;

/** Our own node. */
export function node(fields: Partial<NodeFact> = {}): NodeFact {
  return {
    name: 'node-a',
    zone: 'zone-a',
    addresses: ['192.168.0.1', 'fd00:100::1'],
    allAddresses: ['192.168.0.1', 'fd00:100::1'],
    podCIDRs: ['10.1.0.0/24'],
    eligible: true,
    ...fields,
  };
}
