/** The made-up cluster as etcd holds it: kube-apiserver reads JSON there as well as protobuf. */

import type { Size } from '../../result.ts';
import { type ApiObject, serviceObject, sliceObject } from '../objects.ts';
import { clusterIP, namespace, serviceName } from '../world.ts';

/** The API server's own Service has the first address. Even, so that the first Service is a TCP one. */
export const firstService = 16;

export interface StoredObject {
  readonly key: string;
  readonly value: ApiObject;
}

/** The Services by number, up to but without `end`, each with its slice and the claim of its address. */
export function* storedServices(size: Size, begin: number, end: number): Iterable<StoredObject> {
  for (let service = begin; service < end; service += 1) {
    const name = serviceName(service);
    const address = clusterIP(size.family, service);
    yield { key: `/registry/ipaddresses/${address}`, value: addressClaim(address, name) };
    yield {
      key: `/registry/endpointslices/${namespace}/${name}-slice`,
      value: withoutVersion(sliceObject(size, service, size.endpoints, 1)),
    };
    yield { key: `/registry/services/specs/${namespace}/${name}`, value: withoutVersion(serviceObject(size, service)) };
  }
}

/** What a client sends: the server gives the version. */
export function withoutVersion(object: ApiObject): ApiObject {
  // Both makers of objects give them metadata.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { resourceVersion: _, ...metadata } = object['metadata'] as ApiObject;
  return { ...object, metadata };
}

/** Without it the allocator of addresses would make one for each Service while others are measured (KEP-1880). */
function addressClaim(address: string, service: string): ApiObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name: address,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: {
        'ipaddress.kubernetes.io/ip-family': address.includes(':') ? 'IPv6' : 'IPv4',
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
    },
    spec: { parentRef: { group: '', resource: 'services', namespace, name: service } },
  };
}
