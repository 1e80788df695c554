import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Listing, listing } from '../lab/state/listing.ts';
import { countAnswers, isAnswer } from '../lab/traffic/result.ts';
import { podPort } from '../lab/world/places.ts';
import { runSluice } from './agent.ts';
import {
  type Cluster,
  families,
  makeCluster,
  nodeNames,
  startAgents,
  tunnelDestinations,
  vip,
} from './direct-return/world.ts';

const places = ['node1', 'node2', 'near', 'far'] as const;
const web = { protocol: 'TCP', address: vip.IPv4, port: podPort } as const;

let cluster: Cluster;

beforeEach(async () => {
  cluster = await makeCluster({ pods: { node1: ['near'], node2: ['far'] } });
  await cluster.publish({ near: 'ready', far: 'ready' });
}, 60_000);

afterEach(() => cluster.remove());

describe('direct return that is switched off again', () => {
  it.each([
    ['by its annotation', () => cluster.serve({ annotations: {} })],
    ['by a value that is none (kr#985, kr#1055)', () => cluster.serve({ annotations: { 'sluice.dev/dsr': 'no' } })],
  ])('%s leaves nodes and pods as they were (kr#235, kr#1167)', async (_, switchOff) => {
    await cluster.serve({ annotations: {} });
    await startAgents(cluster);
    const before = await listAll();
    await cluster.serve();
    await tunnelsBecome(6);
    expect(await listAll()).not.toEqual(before);
    await switchOff();
    await tunnelsBecome(0);
    await vi.waitFor(async () => expect(await listAll()).toEqual(before), { timeout: 10_000, interval: 500 });
  });

  it('by cleanup leaves nothing on a node or in its pods', async () => {
    const before = await listAll();
    await cluster.serve();
    await startAgents(cluster);
    await tunnelsBecome(6);
    for (const node of nodeNames) {
      await cluster.agents.get(node)?.end('SIGTERM');
      expect(await runSluice(cluster.agentInput(node), 'cleanup')).toMatchObject({ status: 0 });
    }
    expect(await listAll()).toEqual(before);
  });
});

describe('an agent that directs', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('keeps every flow when it ends by %s and starts again', async (signal) => {
    await cluster.serve();
    await startAgents(cluster);
    await tunnelsBecome(6);
    const client = cluster.world.client('client');
    const flows = ['IPv4', 'IPv6'].flatMap(() =>
      families.flatMap((family) => {
        const target = { ...web, address: vip[family] };
        return [0, 1].map(() => cluster.world.traffic.connect(client.name, target, { intervalMs: 50 }));
      }),
    );
    await Promise.all(flows.map((flow) => flow.next()));
    for (const node of nodeNames) {
      await cluster.agents.get(node)?.end(signal);
    }
    await startAgents(cluster);
    await Promise.all(flows.map((flow) => flow.next()));
    await Promise.all(flows.map((flow) => flow.next()));
    expect(flows.flatMap((flow) => flow.failures)).toEqual([]);
    const answers = flows.flatMap((flow) => flow.results.slice(-1));
    expect(answers.every((each) => isAnswer(each) && each.sourceSeen === sourceOf(each.destinationSeen))).toBe(true);
    await Promise.all(flows.map((flow) => flow.stop()));
    expect(await tunnelDestinations('node1')).toHaveLength(12);
  });
});

describe('a traffic policy of Local', () => {
  it('sends clients outside to endpoints of the node alone, and pods to all', async () => {
    await cluster.serve({ externalTrafficPolicy: 'Local' });
    await startAgents(cluster);
    await vi.waitFor(async () => expect(await tunnelDestinations('node1')).toHaveLength(6), { timeout: 20_000 });
    const client = cluster.world.client('client');
    const outside = await cluster.world.requests(client, web, 6);
    expect(countAnswers(outside)).toEqual({ near: 6 });
    expect(outside.every((each) => isAnswer(each) && each.sourceSeen === client.addresses.IPv4[0])).toBe(true);
    expect(Object.keys(countAnswers(await cluster.world.requests(cluster.world.node('node1'), web, 6))).sort()).toEqual(
      ['far', 'near'],
    );
  });

  it('drops clients outside where the node has no endpoint', async () => {
    await cluster.publish({ far: 'ready' });
    await cluster.serve({ externalTrafficPolicy: 'Local' });
    await startAgents(cluster);
    expect(await cluster.world.request(cluster.world.client('client'), web)).toBe('timeout');
  });
});

describe('an endpoint of a directly answered Service', () => {
  it('keeps its connection while it drains, and takes no other (kr#1865)', async () => {
    await cluster.serve();
    await startAgents(cluster);
    await tunnelsBecome(6);
    const client = cluster.world.client('client');
    const flows = Array.from({ length: 4 }, () => cluster.world.traffic.connect(client.name, web, { intervalMs: 50 }));
    const first = await Promise.all(flows.map((flow) => flow.next()));
    expect(Object.keys(countAnswers(first)).sort()).toEqual(['far', 'near']);
    await cluster.publish({ near: 'terminating', far: 'ready' });
    await vi.waitFor(async () =>
      expect(countAnswers(await cluster.world.requests(client, web, 4))).toEqual({ far: 4 }),
    );
    await Promise.all(flows.map((flow) => flow.next()));
    expect(flows.flatMap((flow) => flow.failures)).toEqual([]);
    await Promise.all(flows.map((flow) => flow.stop()));
  });
});

function sourceOf(destination: string): string | undefined {
  const { addresses } = cluster.world.client('client');
  return destination === vip.IPv4 ? addresses.IPv4[0] : addresses.IPv6[0];
}

/** Nodes and pods, as ip, nft and ipvsadm list them. */
function listAll(): Promise<readonly Listing[]> {
  return Promise.all(places.map((name) => listing({ name, addresses: { IPv4: [], IPv6: [] } })));
}

/** How many destinations each node has for each of the two endpoints: three ports in two families. */
async function tunnelsBecome(each: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const found = await Promise.all(nodeNames.map((node) => tunnelDestinations(node)));
      expect(found.map(({ length }) => length)).toEqual(nodeNames.map(() => each * 2));
    },
    { timeout: 30_000, interval: 200 },
  );
}
