/** Raw API objects. */

export function rawService(name: string, spec: object = {}, metadata: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name, resourceVersion: '1', ...metadata },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.96.0.1',
      clusterIPs: ['10.96.0.1'],
      ipFamilies: ['IPv4'],
      ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
      ...spec,
    },
  };
}

export function rawSlice(name: string, fields: object = {}, metadata: object = {}): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'default', name, labels: { 'kubernetes.io/service-name': 'web' }, ...metadata },
    addressType: 'IPv4',
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    endpoints: [{ addresses: ['10.1.0.2'], conditions: { ready: true } }],
    ...fields,
  };
}

export function rawNode(name: string, fields: object = {}): object {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name }, ...fields };
}

export function rawServiceCIDR(name: string, ...cidrs: readonly unknown[]): object {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name }, spec: { cidrs } };
}

/** The same at another resource version. */
export function at(resourceVersion: number, object: object): object {
  const metadata: unknown = 'metadata' in object ? object.metadata : {};
  return {
    ...object,
    metadata: { ...(typeof metadata === 'object' ? metadata : {}), resourceVersion: `${resourceVersion}` },
  };
}
