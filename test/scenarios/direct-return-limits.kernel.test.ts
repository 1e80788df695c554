import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { isAnswer } from '../lab/traffic/result.ts';
import { podPort } from '../lab/world/places.ts';
import type { Agent } from './agent.ts';
import {
  type Cluster,
  families,
  makeCluster,
  nodeNames,
  startAgents,
  tunnelDestinations,
  vip,
} from './direct-return/world.ts';
import { endpointSlice } from './manifests.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await makeCluster({ pods: { node1: ['near'], node2: ['far'] } });
  await startAgents(cluster);
}, 60_000);

afterAll(() => cluster.remove());

const limits = [
  {
    what: 'an endpoint on another port than the Service',
    reason: 'direct-return-port-differs',
    port: 80,
    address: () => cluster.world.pod('near').addresses.IPv4[0] ?? '',
  },
  {
    what: 'an endpoint with the network of a node',
    reason: 'direct-return-host-network',
    port: podPort,
    address: () => cluster.world.node('node2').addresses.IPv4[0] ?? '',
  },
] as const;

describe('what cannot be answered directly', () => {
  it.each(limits)('$what is masqueraded, and why is told (kr#1656, kr#936)', async ({ reason, port, address }) => {
    const { world } = cluster;
    const ports = [{ name: 'tcp', protocol: 'TCP', port }] as const;
    await world.traffic
      .listen('node2', { protocol: 'TCP', address: world.node('node2').addresses.IPv4[0] ?? '', port: podPort }, 'host')
      .catch(() => {});
    await cluster.folder.write('web-endpoints.json', [
      endpointSlice({
        service: 'web',
        family: 'IPv4',
        ports: [{ ...ports[0], port: podPort }],
        endpoints: [{ address: address(), nodeName: 'node1' }],
      }),
    ]);
    await cluster.serve({ ports });
    await refusalOf(reason);
    const client = world.client('client');
    const result = await world.request(client, { protocol: 'TCP', address: vip.IPv4, port }, { deadlineMs: 5_000 });
    expect(isAnswer(result) ? result.sourceSeen : result).toMatch(/^(10|192)\./);
    expect(await tunnelDestinations('node1')).toEqual([]);
  });

  it.each(['sluice.dev/dsr', 'kube-router.io/service.dsr'])(
    '%s tells of a value that is none (kr#985, kr#1055)',
    async (name) => {
      await cluster.publish({ near: 'ready' });
      await cluster.serve({ annotations: { [name]: 'yes' } });
      await refusalOf('annotation-value-invalid');
      expect(await tunnelDestinations('node1')).toEqual([]);
      for (const address of families.map((family) => vip[family])) {
        const result = await cluster.world.request(cluster.world.client('client'), {
          protocol: 'TCP',
          address,
          port: podPort,
        });
        expect(isAnswer(result)).toBe(true);
      }
    },
  );
});

describe('source ranges', () => {
  it('say who may come, before a tunnel hides the client from every policy at the pod (kr#570, kr#683, kr#1199)', async () => {
    await cluster.publish({ near: 'ready', far: 'ready' });
    const client = cluster.world.client('client');
    const targets = families.map((family) => ({ protocol: 'TCP', address: vip[family], port: podPort }) as const);
    const open = families.map((family) => `${client.addresses[family][0] ?? ''}/${family === 'IPv4' ? 32 : 128}`);
    for (const [ranges, expected] of [
      [['198.18.0.0/15', 'fd99::/64'], 'timeout'],
      [open, 'answer'],
    ] as const) {
      await cluster.serve({
        externalIPs: [],
        loadBalancerIPs: families.map((family) => vip[family]),
        loadBalancerSourceRanges: ranges,
      });
      await vi.waitFor(
        async () => {
          const asked = targets.map((target) => cluster.world.request(client, target, { deadlineMs: 1_000 }));
          const results = await Promise.all(asked);
          expect(results.map((each) => (isAnswer(each) ? 'answer' : each))).toEqual([expected, expected]);
          expect(await tunnelDestinations('node1')).toHaveLength(12);
        },
        { timeout: 20_000, interval: 200 },
      );
    }
  });
});

/** Both agents tell of it. */
function refusalOf(reason: string): Promise<unknown> {
  const agents = nodeNames
    .map((node) => cluster.agents.get(node))
    .filter((agent): agent is Agent => agent !== undefined);
  return Promise.all(agents.map((agent) => agent.line((line) => JSON.stringify(line).includes(reason), 20_000)));
}
