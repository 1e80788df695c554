import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Flow } from '../lab/traffic/traffic.ts';
import { clusterRanges, podPort } from '../lab/world/places.ts';
import { createWorld, type World } from '../lab/world.ts';
import { type Agent, type AgentInput, parseMetrics, plannedOperations, startAgent } from './agent.ts';
import { type ManifestFolder, makeManifestFolder, nodeObject } from './manifests.ts';
import { manifestsOf, manyServices, type ServicePlan } from './many-services.ts';
import { expectedState, type NodeState, readState, withoutDraining } from './node-state.ts';
import { seededRandom } from './random.ts';

const rounds = 50;
const seed = Number(process.env['SEED'] ?? 20_261_121);

describe(`an agent that is killed ${rounds} times, seed ${seed},`, () => {
  let world: World;
  let folder: ManifestFolder;
  let agent: Agent;
  let flow: Flow;
  let syncMs = 0;
  let latest = 0;

  beforeAll(async () => {
    world = await createWorld({ nodes: [{ name: 'node1', pods: ['server'] }], clients: ['client'] });
    folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'crash-')));
    const { IPv4, IPv6 } = world.node('node1').addresses;
    await folder.write('node.json', [nodeObject('node1', [...IPv4, ...IPv6])]);
    await write(0);
    agent = startAgent(input());
    await agent.synced;
    const target = { protocol: 'TCP', address: steadyPlan().clusterIP, port: 80 } as const;
    flow = world.traffic.connect('client', target, { intervalMs: 50, deadlineMs: 20_000 });
    await flow.next();
    syncMs = await timeOfSync();
  });

  afterAll(async () => {
    await agent.end('SIGKILL');
    await world.remove();
  });

  const random = seededRandom(seed);

  it.each(Array.from({ length: rounds }, (_, index) => index + 2))(
    `finds its way back, breaks no connection and then rests, round %i of ${rounds + 1}`,
    async (version) => {
      await write(version);
      await sleep(random() * syncMs);
      await agent.end('SIGKILL');
      const exchanges = flow.results.length;
      agent = startAgent(input());
      await agent.synced;
      const passes = (await metrics()).get(passCount) ?? 0;
      expect(withoutDraining(await readState(world, 'node1'))).toEqual(wanted(version));
      expect(await repairsAfter(passes)).toBe(0);
      expect(flow.failures).toEqual([]);
      expect(flow.results.length).toBeGreaterThan(exchanges);
    },
  );

  it('has nothing left to do in the end, says the preview too', async () => {
    await vi.waitFor(async () => expect(await readState(world, 'node1')).toEqual(wanted(latest)), {
      timeout: 10_000,
      interval: 500,
    });
    expect(await plannedOperations(input())).toBe(0);
  });

  function input(): AgentInput {
    const flags = [
      `--cluster-cidr=${clusterRanges}`,
      '--nodeport-addresses=primary',
      '--vip-mode=address',
      '--ipvs-sync-period=1s',
      `--metrics-bind-address=${nodeAddress()}:${metricsPort}`,
    ];
    return { node: 'node1', manifests: folder.path, flags };
  }

  function plansOf(version: number): readonly ServicePlan[] {
    return [steadyPlan(), ...manyServices(version)];
  }

  /** The Service behind the connection that must live: no version changes it. */
  function steadyPlan(): ServicePlan {
    const [address = ''] = world.pod('server').addresses.IPv4;
    return {
      name: 'steady',
      clusterIP: '10.97.0.1',
      protocol: 'TCP',
      nodePort: undefined,
      endpoints: [{ address, port: podPort, nodeName: 'node1' }],
    };
  }

  async function write(version: number): Promise<void> {
    latest = version;
    await folder.write('services.json', plansOf(version).flatMap(manifestsOf));
  }

  function wanted(version: number): NodeState {
    return expectedState(plansOf(version), nodeAddress());
  }

  /** What the agent found to repair in its next audit. Of two passes only one can be about destinations that drain. */
  async function repairsAfter(passes: number): Promise<number> {
    for (;;) {
      const now = await metrics();
      if ((now.get(passCount) ?? 0) >= passes + 2) {
        const repairs = [...now].filter(([name]) => name.startsWith('sluice_repairs_total{'));
        return repairs.reduce((sum, [, value]) => sum + value, 0);
      }
      await sleep(50);
    }
  }

  /** Asked from the tests' own namespace, which is on the node's link: starting a program for it takes long. */
  async function metrics(): Promise<ReadonlyMap<string, number>> {
    const response = await fetch(`http://${nodeAddress()}:${metricsPort}/metrics`);
    return parseMetrics(await response.text());
  }

  function nodeAddress(): string {
    return world.node('node1').addresses.IPv4[0] ?? '';
  }

  async function timeOfSync(): Promise<number> {
    const before = performance.now();
    await write(1);
    await agent.line((line) => line['trigger'] === 'change');
    return performance.now() - before;
  }
});

const passCount = 'sluice_pass_duration_seconds_count';
const metricsPort = 10_249;
