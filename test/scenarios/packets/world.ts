/**
 * The world of the packet table:
 *
 *   client ── node1 ── node2
 *             near     far        pods behind Services
 *             idle-near idle-far  pods that only ask
 *
 * The client's network is behind node1: an answer to it goes that way, also one that sluice need not see.
 */

import type { Place } from '../../lab/world/places.ts';
import { linkRanges } from '../../lab/world/places.ts';
import { createWorld, type World } from '../../lab/world.ts';
import { nodeNames } from './rows.ts';
import { families, protocols, serverPort } from './services.ts';

export async function makePacketWorld(): Promise<World> {
  const world = await createWorld({
    nodes: [
      { name: 'node1', pods: ['near', 'idle-near'], addresses: 2 },
      { name: 'node2', pods: ['far', 'idle-far'] },
    ],
    clients: ['client'],
  });
  const nodes = nodeNames.map((name) => world.node(name));
  await Promise.all(nodes.map((node) => refuseWithoutRation(world, node)));
  await Promise.all(nodes.map((node) => serveOnNode(world, node)));
  const routes = families.map((family) => {
    const [via = ''] = world.node('node1').addresses[family];
    return `route replace ${linkRanges.clients[family]} via ${via} dev eth0`;
  });
  await world.run(world.node('node2'), ['ip', '-batch', '-'], `${routes.join('\n')}\n`);
  return world;
}

/** Hundreds of refusals are asked for at once. */
async function refuseWithoutRation(world: World, { name }: Place): Promise<void> {
  await world.traffic.writeSysctl(name, '/proc/sys/net/ipv4/icmp_ratemask', '0');
  await world.traffic.writeSysctl(name, '/proc/sys/net/ipv6/icmp/ratelimit', '0');
  // The list of types under the limit that all share: one that no refusal has (packet too big).
  await world.traffic.writeSysctl(name, '/proc/sys/net/ipv6/icmp/ratemask', '2');
}

async function serveOnNode(world: World, { name }: Place): Promise<void> {
  for (const protocol of protocols) {
    for (const address of ['0.0.0.0', '::']) {
      await world.traffic.listen(name, { protocol, address, port: serverPort }, `server-of-${name}`);
    }
  }
}
