import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { output } from '../lab/execute.ts';
import { countAnswers, isAnswer } from '../lab/traffic/result.ts';
import { podPort } from '../lab/world/places.ts';
import { type Cluster, families, makeCluster, nodeNames, protocols, startAgents, vip } from './direct-return/world.ts';

const gue = { 'sluice.dev/dsr': 'tunnel', 'sluice.dev/dsr-encap': 'gue' };

let cluster: Cluster;

beforeAll(async () => {
  cluster = await makeCluster({ pods: { node1: ['near'], node2: ['far'] } });
  await cluster.publish({ near: 'ready', far: 'ready' });
  await cluster.serve({ annotations: gue });
  await startAgents(cluster);
  for (const node of nodeNames) await becomes(node, 12);
}, 90_000);

afterAll(() => cluster.remove());

it.each(families.flatMap((family) => protocols.map((protocol) => [family, protocol] as const)))(
  'a pod behind GUE sees the client itself, in %s over %s',
  async (family, protocol) => {
    const client = cluster.world.client('client');
    const target = { protocol, address: vip[family], port: podPort };
    const results = await cluster.world.requests(client, target, 8);
    expect(countAnswers(results)).toEqual({ near: 4, far: 4 });
    expect(results.every((each) => isAnswer(each) && each.sourceSeen === client.addresses[family][0])).toBe(true);
  },
);

it('the agent finds its destinations as they should be when it starts again', async () => {
  await cluster.agents.get('node1')?.end('SIGKILL');
  await startAgents(cluster, ['node1']);
  const [synced] = (cluster.agents.get('node1')?.log ?? []).filter(({ msg }) => msg === 'synced');
  expect(synced).toMatchObject({ trigger: 'start', operations: 0 });
});

it('another wrapping is taken without another virtual server', async () => {
  await cluster.serve({ annotations: { 'sluice.dev/dsr': 'tunnel' } });
  for (const node of nodeNames) await becomes(node, 0);
  const target = { protocol: 'TCP', address: vip.IPv4, port: podPort } as const;
  await vi.waitFor(
    async () => {
      const results = await cluster.world.requests(cluster.world.client('client'), target, 6);
      expect(countAnswers(results)).toEqual({ near: 3, far: 3 });
    },
    { timeout: 10_000, interval: 500 },
  );
});

/** So many destinations on a node are reached by GUE: three ports, two families, two pods. */
function becomes(node: string, count: number): Promise<void> {
  return vi.waitFor(
    async () => {
      const listing = await output(node, ['ipvsadm', '-Sn']);
      expect(listing.match(/--tun-type gue --tun-port 6080/g) ?? []).toHaveLength(count);
    },
    { timeout: 20_000, interval: 200 },
  );
}
