/** The made-up cluster as facts, without an API server in between. */

import type { EndpointFact, EndpointSliceFact, FactChange, ServiceFact } from '../../../src/core/model/facts.ts';
import type { Size } from '../result.ts';
import {
  clusterIP,
  endpointAddress,
  endpointNode,
  endpointPort,
  namespace,
  nodeAddresses,
  nodeName,
  serviceName,
  servicePort,
} from './world.ts';

/** Complete lists of everything. */
export function factsOf(size: Size): readonly FactChange[] {
  const numbers = Array.from({ length: size.services }, (_, index) => index);
  return [
    {
      change: 'replace',
      kind: 'Service',
      facts: numbers.map((index) => ({ kind: 'Service', fact: serviceFact(size, index) })),
    },
    {
      change: 'replace',
      kind: 'EndpointSlice',
      facts: numbers.map((index) => ({ kind: 'EndpointSlice', fact: sliceFact(size, index) })),
    },
    {
      change: 'replace',
      kind: 'Node',
      facts: [
        {
          kind: 'Node',
          fact: {
            name: nodeName,
            zone: '',
            addresses: [nodeAddresses[size.family]],
            allAddresses: [nodeAddresses[size.family]],
            podCIDRs: [],
            eligible: true,
          },
        },
      ],
    },
  ];
}

function serviceFact(size: Size, index: number): ServiceFact {
  const name = serviceName(index);
  return {
    key: `${namespace}/${name}`,
    namespace,
    name,
    uid: '',
    createdAt: 0,
    type: 'ClusterIP',
    clusterIPs: [clusterIP(size.family, index)],
    externalIPs: [],
    loadBalancerIPs: [],
    loadBalancerSourceRanges: [],
    ports: [{ name: 'http', protocol: 'TCP', port: servicePort, nodePort: 0 }],
    externalTrafficPolicy: 'Cluster',
    internalTrafficPolicy: 'Cluster',
    affinityTimeoutSeconds: undefined,
    healthCheckNodePort: 0,
    annotations: {},
  };
}

function sliceFact(size: Size, service: number): EndpointSliceFact {
  const name = serviceName(service);
  const endpoints = Array.from(
    { length: size.endpoints },
    (_, index): EndpointFact => ({
      address: endpointAddress(size, service, index),
      ready: true,
      serving: true,
      terminating: false,
      nodeName: endpointNode(size, service, index),
      zoneHints: undefined,
      nodeHints: undefined,
      target: `${name}-pod-${index}`,
    }),
  );
  return {
    key: `${namespace}/${name}-slice`,
    service: `${namespace}/${name}`,
    family: size.family,
    weight: 1,
    ports: [{ name: 'http', protocol: 'TCP', port: endpointPort }],
    triggeredAt: undefined,
    endpoints,
  };
}
