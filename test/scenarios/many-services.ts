/** A thousand Services that differ much from one version to the next. */

import { endpointSlice, type Manifest, type Protocol, service } from './manifests.ts';

/** What a Service is to be; its manifests and what the kernel should hold follow from it. */
export interface ServicePlan {
  readonly name: string;
  readonly clusterIP: string;
  readonly protocol: Protocol;
  readonly nodePort: number | undefined;
  readonly endpoints: readonly { readonly address: string; readonly port: number; readonly nodeName: string }[];
}

export const serviceCount = 1_000;

/** Each version replaces a third of the Services of the one before, and moves the endpoints of another third. */
export function manyServices(version: number): readonly ServicePlan[] {
  const first = version % 2 === 0 ? 0 : Math.floor(serviceCount / 3);
  return Array.from({ length: serviceCount }, (_, index) => planOf(first + index, version));
}

export function manifestsOf(plan: ServicePlan): readonly Manifest[] {
  const { name, clusterIP, protocol, nodePort, endpoints } = plan;
  const [port = 8080] = endpoints.map((endpoint) => endpoint.port);
  return [
    service({
      name,
      clusterIPs: [clusterIP],
      ports: [{ name: '', protocol, port: 80, ...(nodePort === undefined ? {} : { nodePort }) }],
    }),
    endpointSlice({ service: name, family: 'IPv4', ports: [{ name: '', protocol, port }], endpoints }),
  ];
}

function planOf(number: number, version: number): ServicePlan {
  const move = number % 3 === 0 ? version : 0;
  const endpoints = [0, 1, 2].map((index) => {
    const pod = (number + index * 7 + move) % 200;
    return { address: `10.1.9.${pod + 1}`, port: 8080, nodeName: pod % 2 === 0 ? 'node1' : 'node2' };
  });
  return {
    name: `service-${number}`,
    clusterIP: `10.96.${number >> 8}.${number & 255}`,
    protocol: number % 4 === 0 ? 'UDP' : 'TCP',
    nodePort: number % 5 === 0 ? 30_000 + number : undefined,
    endpoints,
  };
}
