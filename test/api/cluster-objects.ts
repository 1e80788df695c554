/** API objects of the tests: a Service and, because no controller makes it here, its EndpointSlice. */

import { familyOf } from '../scenarios/manifests.ts';

/** What a Service of the tests looks like. */
export interface ServiceInput {
  readonly name: string;
  readonly clusterIP?: string;
  readonly spec?: object;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A Service with one TCP port 80. */
export function service({ name, clusterIP, spec = {}, annotations = {} }: ServiceInput): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default', annotations },
    spec: {
      ...(clusterIP === undefined ? {} : { clusterIP }),
      ports: [{ name: 'http', port: 80, targetPort: 8080 }],
      ...spec,
    },
  };
}

/** Its endpoints of one family, all ready. */
export function endpointSlice(name: string, addresses: readonly string[]): object {
  const family = familyOf(addresses[0] ?? '');
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-${family === 'IPv4' ? 1 : 2}`,
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': name },
    },
    addressType: family,
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    endpoints: addresses.map((address) => ({ addresses: [address], nodeName: 'node1', conditions: { ready: true } })),
  };
}

/** The Node object, which a kubelet would make. */
export const node1 = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node1' } };
