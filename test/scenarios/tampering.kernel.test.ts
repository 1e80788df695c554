import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { countAnswers } from '../lab/traffic/result.ts';
import { clusterRanges, podPort } from '../lab/world/places.ts';
import { createWorld, type World } from '../lab/world.ts';
import { type Agent, startAgent } from './agent.ts';
import { makeManifestFolder, nodeObject } from './manifests.ts';
import { manifestsOf, type ServicePlan } from './many-services.ts';
import { expectedState, type NodeState, readState } from './node-state.ts';

const syncPeriodMs = 2_000;

interface Tampering {
  readonly what: string;
  readonly script: string;
  /** Labels of `sluice_repairs_total` that must count it. */
  readonly repairs: readonly string[];
}

const tamperings: readonly Tampering[] = [
  {
    what: 'the whole IPVS table',
    script: 'ipvsadm -C',
    repairs: ['add-virtual-server', 'add-destination'],
  },
  {
    what: 'one virtual server',
    script: 'ipvsadm -D -t 10.96.0.1:80',
    repairs: ['add-virtual-server', 'add-destination'],
  },
  {
    what: 'the weight and the scheduler of a virtual server',
    script: 'ipvsadm -E -t 10.96.0.1:80 -s lc; ipvsadm -e -t 10.96.0.1:80 -r 10.1.0.2:8080 -m -w 0',
    repairs: ['edit-virtual-server', 'edit-destination'],
  },
  {
    what: 'the address of a VIP',
    script: 'ip address delete 10.96.0.1/32 dev kube-dummy-if',
    repairs: ['add-vip'],
  },
  {
    what: 'the route of a VIP',
    script: 'ip route delete local 10.96.0.1 dev kube-dummy-if proto 115',
    repairs: ['add-vip'],
  },
  { what: 'the interface of the VIPs', script: 'ip link delete kube-dummy-if', repairs: ['add-vip'] },
  {
    what: 'the nftables ruleset',
    script: 'nft flush ruleset',
    repairs: ['add-element'],
  },
  {
    what: 'one element of an nftables set',
    script: 'nft delete element inet sluice vips4 "{ 10.96.0.1 }"',
    repairs: ['add-element'],
  },
];

describe('what another hand took away', () => {
  let world: World;
  let agent: Agent;
  let wanted: NodeState;
  let rules = '';

  beforeAll(async () => {
    world = await createWorld({ nodes: [{ name: 'node1', pods: ['server'] }], clients: ['client'] });
    const folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'tampering-')));
    const { IPv4, IPv6 } = world.node('node1').addresses;
    const [nodeAddress = ''] = IPv4;
    await folder.write('objects.json', [nodeObject('node1', [...IPv4, ...IPv6]), ...plans().flatMap(manifestsOf)]);
    wanted = expectedState(plans(), nodeAddress);
    agent = startAgent({
      node: 'node1',
      manifests: folder.path,
      flags: [
        `--cluster-cidr=${clusterRanges}`,
        '--nodeport-addresses=primary',
        `--ipvs-sync-period=${syncPeriodMs}ms`,
      ],
    });
    await agent.synced;
    rules = await readRules();
  });

  afterAll(async () => {
    await agent.end('SIGKILL');
    await world.remove();
  });

  it('was there to begin with', async () => {
    expect(await readState(world, 'node1')).toEqual(wanted);
  });

  it.each(tamperings)(
    'is put back within the sync period, and counted: $what (#135631)',
    async ({ script, repairs }) => {
      const before = await agent.metrics();
      await run('sh', '-c', script);
      const since = performance.now();
      await vi.waitFor(async () => expect(await readState(world, 'node1')).toEqual(wanted), {
        timeout: 4 * syncPeriodMs,
        interval: 100,
      });
      // Reading the state takes its time in the lab.
      expect(performance.now() - since).toBeLessThan(2 * syncPeriodMs);
      expect(await readRules()).toBe(rules);
      const target = { protocol: 'TCP', address: '10.96.0.1', port: 80 } as const;
      expect(countAnswers(await world.requests(world.client('client'), target, 2))).toEqual({ server: 2 });
      const after = await agent.metrics();
      for (const kind of repairs) {
        const name = `sluice_repairs_total{kind="${kind}"}`;
        expect(after.get(name) ?? 0).toBeGreaterThan(before.get(name) ?? 0);
      }
    },
  );

  function plans(): readonly ServicePlan[] {
    const [address = ''] = world.pod('server').addresses.IPv4;
    return [1, 2, 3].map((number) => ({
      name: `service-${number}`,
      clusterIP: `10.96.0.${number}`,
      protocol: 'TCP',
      nodePort: 30_000 + number,
      endpoints: [{ address, port: podPort, nodeName: 'node1' }],
    }));
  }

  /** The chains with their rules, without counters. */
  async function readRules(): Promise<string> {
    const text = await run('nft', '--stateless', 'list', 'table', 'inet', 'sluice');
    return text.slice(text.indexOf('chain '));
  }

  function run(...command: readonly string[]): Promise<string> {
    return world.run(world.node('node1'), command);
  }
});
