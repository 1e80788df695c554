import type { Family, WorldNode } from '../lab/world/places.ts';
import { createWorld, type World } from '../lab/world.ts';

/** Clients outside, all behind node1; two nodes; pods on both. The manifests name the same pods. */
export function makeWorld(): Promise<World> {
  return createWorld({
    nodes: [
      // The toolbox is a client in the cluster, behind no Service.
      { name: 'node1', pods: ['web-0', 'web-1', 'dns-0', 'toolbox'] },
      { name: 'node2', pods: ['web-2', 'dns-1'] },
    ],
    clients,
  });
}

export const clients = ['client', 'client-b', 'client-c'] as const;

export type NodeName = 'node1' | 'node2';
export const nodes = ['node1', 'node2'] as const;

/** The names of a node's own addresses in a family, as others see it. */
export function ownAddresses(node: WorldNode, family: Family): readonly string[] {
  return [...node.addresses[family], node.podGateway[family]];
}
