import { setTimeout as sleep } from 'node:timers/promises';
import { createWorld, type World } from '../lab/world.ts';

/** Clients outside, all behind node1; two nodes; pods on both. The manifests name the same pods. */
export async function makeWorld(): Promise<World> {
  const world = await createWorld({
    nodes: [
      // The toolbox is a client in the cluster, behind no Service.
      { name: 'node1', pods: ['web-0', 'web-1', 'dns-0', 'toolbox'] },
      { name: 'node2', pods: ['web-2', 'dns-1'] },
    ],
    clients,
  });
  await Promise.all(nodes.map((node) => settle(world, node)));
  return world;
}

/**
 * Waits until the kernel has found the link-local addresses of the node's links to be its own (RFC 4862, 5.4). It adds
 * their routes only then, and a listing that is to be compared with a later one must have them.
 */
async function settle(world: World, node: NodeName): Promise<void> {
  const question = ['ip', '-6', 'address', 'show', 'tentative'];
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if ((await world.run(world.node(node), question)) === '') return;
    await sleep(100);
  }
  throw new Error(`expected the addresses of ${node} to be usable within 10 s`);
}

export const clients = ['client', 'client-b', 'client-c'] as const;

export type NodeName = 'node1' | 'node2';
export const nodes = ['node1', 'node2'] as const;
