/** The made-up cluster as API objects, with the fields that real ones carry, for the scripted API server. */

import type { Size } from '../result.ts';
import {
  clusterIP,
  endpointAddress,
  endpointNode,
  endpointPort,
  namespace,
  nodeAddresses,
  nodeName,
  protocolOf,
  serviceName,
  servicePort,
} from './world.ts';

/** Plain JSON: what stands on the wire. */
export type ApiObject = Readonly<Record<string, unknown>>;

const created = '2026-01-01T00:00:00Z';

export function serviceObject(size: Size, index: number): ApiObject {
  const address = clusterIP(size.family, index);
  const ports = [
    {
      name: 'http',
      protocol: protocolOf('both', index),
      port: servicePort,
      targetPort: endpointPort,
    },
  ];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(serviceName(index), { app: serviceName(index) }, 1),
    spec: {
      type: 'ClusterIP',
      clusterIP: address,
      clusterIPs: [address],
      ipFamilies: [size.family],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
      sessionAffinity: 'None',
      selector: { app: serviceName(index) },
      ports,
    },
    status: { loadBalancer: {} },
  };
}

/** With the first `endpoints` endpoints of the Service. */
export function sliceObject(size: Size, service: number, endpoints: number, version: number): ApiObject {
  const each = Array.from({ length: endpoints }, (_, index) => ({ index, terminating: false }));
  return sliceWith(size, service, each, version);
}

/** One endpoint of a Service, by its number; one that terminates serves no longer. */
export interface SliceEndpoint {
  readonly index: number;
  readonly terminating: boolean;
}

export function sliceWith(
  size: Size,
  service: number,
  endpoints: readonly SliceEndpoint[],
  version: number,
): ApiObject {
  const name = serviceName(service);
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      ...metadata(
        `${name}-slice`,
        {
          'kubernetes.io/service-name': name,
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
        version,
      ),
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name, uid: uid(service), controller: true }],
    },
    addressType: size.family,
    ports: [{ name: 'http', protocol: protocolOf('both', service), port: endpointPort }],
    endpoints: endpoints.map(({ index, terminating }) => ({
      addresses: [endpointAddress(size, service, index)],
      conditions: { ready: !terminating, serving: !terminating, terminating },
      nodeName: endpointNode(size, service, index),
      targetRef: { kind: 'Pod', namespace, name: `${name}-pod-${index}`, uid: uid(service * size.endpoints + index) },
    })),
  };
}

export function nodeObject(size: Size): ApiObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: metadata(nodeName, { 'kubernetes.io/hostname': nodeName }, 1),
    spec: {},
    status: { addresses: [{ type: 'InternalIP', address: nodeAddresses[size.family] }] },
  };
}

function metadata(name: string, labels: ApiObject, version: number): ApiObject {
  return { name, namespace, uid: uid(version), resourceVersion: `${version}`, creationTimestamp: created, labels };
}

function uid(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}
