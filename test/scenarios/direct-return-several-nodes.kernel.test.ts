import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { output } from '../lab/execute.ts';
import { isAnswer, type RequestResult } from '../lab/traffic/result.ts';
import { podPort } from '../lab/world/places.ts';
import {
  type Cluster,
  families,
  makeCluster,
  nodeNames,
  startAgents,
  tunnelDestinations,
  vip,
} from './direct-return/world.ts';

const pods = { node1: ['a', 'b', 'c'], node2: ['d', 'e', 'f'] } as const;

let cluster: Cluster;

beforeEach(async () => {
  cluster = await makeCluster({ pods });
  await cluster.publish(Object.fromEntries([...pods.node1, ...pods.node2].map((pod) => [pod, 'ready'])));
}, 60_000);

afterEach(() => cluster.remove());

it('a flow that a router moves to another node goes on at its pod, with mh (kr#1860)', async () => {
  await cluster.serve({
    annotations: {
      'sluice.dev/dsr': 'tunnel',
      'sluice.dev/scheduler': 'mh',
      'sluice.dev/scheduler-flags': 'mh-port',
    },
  });
  await startAgents(cluster);
  for (const node of nodeNames) {
    await vi.waitFor(async () => expect(await tunnelDestinations(node)).toHaveLength(36), waiting);
  }
  // The tables of mh follow the order of the destinations: in another order a flow of some hundred would be reset.
  const [order, ...others] = await Promise.all(nodeNames.map(orderOfDestinations));
  expect(order).toHaveLength(36);
  expect(others).toEqual([order]);
  const { world } = cluster;
  const client = world.client('client');
  const flows = families.flatMap((family) =>
    Array.from({ length: 12 }, () => {
      const target = { protocol: 'TCP', address: vip[family], port: podPort } as const;
      return world.traffic.connect(client.name, target, { intervalMs: 100 });
    }),
  );
  const first = await Promise.all(flows.map((flow) => flow.next()));
  await world.useGateway(client, world.node('node2'));
  await Promise.all(flows.map((flow) => flow.next()));
  const last = await Promise.all(flows.map((flow) => flow.next()));
  expect(flows.flatMap((flow) => flow.failures)).toEqual([]);
  expect(last.map(nameOf)).toEqual(first.map(nameOf));
  // Both nodes' pods were among them, so that it was no chance that each was found again.
  expect(new Set(first.map(nameOf)).size).toBeGreaterThan(3);
  await Promise.all(flows.map((flow) => flow.stop()));
});

const waiting = { timeout: 20_000, interval: 200 } as const;

/** Of all virtual servers by mark, as the kernel lists them. */
async function orderOfDestinations(node: string): Promise<readonly string[]> {
  const listing = await output(node, ['ipvsadm', '-Ln', '--nosort']);
  return [...listing.matchAll(/-> (\S+) +Tunnel /g)].map(([, address = '']) => address);
}

function nameOf(result: RequestResult): string {
  return isAnswer(result) ? result.answeredBy : result;
}
