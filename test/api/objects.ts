/** Objects as kubectl would be given them. */

/** A Service with one TCP port, 80, that has no selector. */
export function serviceOf(name: string, clusterIP: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { clusterIP, ports: [{ port: 80, targetPort: 8080 }] },
  };
}

/** The EndpointSlice of such a Service, `NAME-1`: all endpoints are ready, on node1. */
export function endpointSliceOf(name: string, addresses: readonly string[], port: number): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: '', protocol: 'TCP', port }],
    endpoints: addresses.map((address) => ({ addresses: [address], nodeName: 'node1', conditions: { ready: true } })),
  };
}
