/**
 * Two thousand Services of five kinds. All of a kind share endpoints and their port, so that the packets that come in at
 * a pod's port tell how the kind was treated.
 */

import type { World } from '../../lab/world.ts';
import { endpointSlice, type Manifest, type ServiceInput, service } from '../manifests.ts';

export const kinds = {
  /** Everybody is masqueraded who comes from outside, pods too at load-balancer IPs. */
  cluster: { port: 8001, pods: ['near', 'far'], policy: {} },
  /** Clients outside see the endpoint of this node, unmasqueraded. */
  local: { port: 8002, pods: ['near', 'far'], policy: { externalTrafficPolicy: 'Local' } },
  /** Clients outside are dropped. */
  elsewhere: { port: 8003, pods: ['far'], policy: { externalTrafficPolicy: 'Local' } },
  /** Everybody is dropped at the ClusterIP. */
  internal: { port: 8004, pods: ['far'], policy: { internalTrafficPolicy: 'Local' } },
  /** Nobody who asks here is among the sources. */
  restricted: { port: 8005, pods: ['near', 'far'], policy: { loadBalancerSourceRanges: ['198.51.100.0/24'] } },
} as const satisfies Readonly<Record<string, { port: number; pods: readonly string[]; policy: Partial<ServiceInput> }>>;

export type Kind = keyof typeof kinds;

export const kindNames = ['cluster', 'local', 'elsewhere', 'internal', 'restricted'] as const satisfies readonly Kind[];

/** A daemon of the node listens here, on every address. */
export const daemonPort = 9_999;

export interface PlannedService {
  readonly kind: Kind;
  readonly protocol: 'TCP' | 'UDP';
  readonly name: string;
  readonly clusterIP: string;
  readonly loadBalancerIP: string;
  readonly nodePort: number;
}

/** Services number `from` to `to`, without the latter. */
export function plannedServices(from: number, to: number): readonly PlannedService[] {
  return Array.from({ length: to - from }, (_, index) => {
    const number = from + index;
    const host = `${number >> 8}.${number & 255}`;
    return {
      kind: kindNames[number % kindNames.length] ?? 'cluster',
      protocol: number % 3 === 0 ? 'UDP' : 'TCP',
      name: `service-${number}`,
      clusterIP: `10.96.${host}`,
      loadBalancerIP: `198.18.${host}`,
      nodePort: 30_000 + number,
    };
  });
}

export function manifestsOf(world: World, plan: PlannedService): readonly Manifest[] {
  const { kind, protocol, name, clusterIP, loadBalancerIP, nodePort } = plan;
  const { port, pods, policy } = kinds[kind];
  const endpoints = pods.map((pod) => {
    const { addresses, node } = world.pod(pod);
    return { address: addresses.IPv4[0] ?? '', nodeName: node };
  });
  return [
    service({
      name,
      clusterIPs: [clusterIP],
      loadBalancerIPs: [loadBalancerIP],
      ports: [{ name: '', protocol, port: 80, nodePort }],
      ...policy,
    }),
    endpointSlice({ service: name, family: 'IPv4', ports: [{ name: '', protocol, port }], endpoints }),
  ];
}
