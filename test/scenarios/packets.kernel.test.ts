import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countAnswers, isAnswer } from '../lab/traffic/result.ts';
import { clusterRanges } from '../lab/world/places.ts';
import type { World } from '../lab/world.ts';
import { keysOf } from '../support/keys-of.ts';
import { type Agent, type CommandOutcome, runSluice, startAgent } from './agent.ts';
import { makeManifestFolder } from './manifests.ts';
import { masqueradingAll, withoutDetector } from './packets/contract.ts';
import { isKnown } from './packets/known.ts';
import { configOf, openPredictor } from './packets/prediction.ts';
import { nodeNames, placeOf, type Row, rowsOf, sources, wholeTable } from './packets/rows.ts';
import { sendRows } from './packets/send.ts';
import {
  families,
  packetManifests,
  serverPort,
  serviceCases,
  serviceRanges,
  vipKinds,
  vipOf,
} from './packets/services.ts';
import { judge, summary } from './packets/verdict.ts';
import { makePacketWorld } from './packets/world.ts';

/** Ten seconds where nothing else runs. */
const patienceMs = 300_000;

const podRanges = `--cluster-cidr=${clusterRanges}`;
const serviceRange = `--service-cluster-ip-range=${serviceRanges.IPv4},${serviceRanges.IPv6}`;

describe.each(['address', 'route'])('with --vip-mode=%s', (mode) => {
  const cluster = startCluster([podRanges, serviceRange, `--vip-mode=${mode}`]);

  it(
    'every packet goes where the table says, and trace says so beforehand',
    async () => {
      const rows = rowsOf(wholeTable);
      expect(rows.length).toBeGreaterThan(5_000);
      await cluster.check(rows);
    },
    patienceMs,
  );

  it.each(keysOf(sources))('%s may ping every VIP', async (source) => {
    const [one] = serviceCases;
    const addresses = families.flatMap((family) =>
      vipKinds.map((kind) => (one === undefined ? '' : vipOf(one, kind, family))),
    );
    const script = addresses.map((address) => `ping -c1 -W2 -q ${address}`).join(' && ');
    const said = await cluster.world.run(placeOf(cluster.world, source), ['sh', '-c', script]);
    expect(said.match(/1 received/g)).toHaveLength(addresses.length);
  });

  it.each(keysOf(sources))('the packets of %s to a refused VIP go on as if sluice were not there', async (source) => {
    const { world } = cluster;
    const from = placeOf(world, source);
    for (const family of families) {
      const [address = ''] = world.node('node2').addresses[family];
      const result = await world.request(from, { protocol: 'TCP', address, port: serverPort });
      expect(result).toMatchObject({ answeredBy: 'server-of-node2', destinationSeen: address });
      expect(isAnswer(result) && from.addresses[family].includes(result.sourceSeen)).toBe(true);
    }
  });

  it('sluice trace says so, too', async () => {
    const [one] = serviceCases;
    const vip = one === undefined ? '' : vipOf(one, 'ClusterIP', 'IPv4');
    const { status, stdout, stderr } = await cluster.sluice('trace', '203.0.113.2', `${vip}:80`);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /FORWARDED +to one of 2 endpoints\n +10\.1\.0\.2:8080 +weight 1, sees 10\.1\.0\.1 by masquerade/,
    );
    expect(stdout).toContain('The kernel holds the same.');
    const refused = await cluster.sluice('trace', 'node', '192.0.2.20:9999', '-o', 'json');
    expect(JSON.parse(refused.stdout)).toMatchObject({
      wanted: { verdict: { kind: 'passed', why: 'not-for-this-node' } },
    });
  });

  it('leaves the servers of the node reachable at the addresses of the node', async () => {
    const { world } = cluster;
    const { addresses, podGateway } = world.node('node1');
    for (const address of [...addresses.IPv4, ...addresses.IPv6, podGateway.IPv4, podGateway.IPv6]) {
      const target = { protocol: 'TCP', address, port: serverPort } as const;
      expect(countAnswers([await world.request(world.client('client'), target)])).toEqual({ 'server-of-node1': 1 });
    }
  });
});

describe.each([
  { name: 'without a detector of pods', flags: [], part: { table: withoutDetector } },
  { name: 'with --masquerade-all', flags: [podRanges, '--masquerade-all'], part: { table: masqueradingAll } },
  { name: 'with the pods of the own Node', flags: ['--detect-local-mode=NodeCIDR'], part: { knowsForeignPods: false } },
  {
    name: 'with the interfaces of pods',
    flags: ['--detect-local-mode=InterfaceNamePrefix', '--pod-interface-name-prefix=pod-'],
    part: { knowsForeignPods: false },
  },
])('$name', ({ flags, part }) => {
  const cluster = startCluster([...flags, serviceRange]);

  it(
    'every packet goes where the table says, and trace says so beforehand',
    async () => {
      const rows = rowsOf({ ...wholeTable, protocols: ['TCP', 'UDP'], ...part });
      expect(rows.length).toBeGreaterThan(3_000);
      await cluster.check(rows);
    },
    patienceMs,
  );
});

interface Cluster {
  readonly world: World;
  /** Sends the packets of the rows; expects the contract, and the predictions of `trace`, to hold. */
  readonly check: (rows: readonly Row[]) => Promise<void>;
  /** Runs a command of sluice on node1. */
  readonly sluice: (...words: readonly string[]) => Promise<CommandOutcome>;
}

/** Two nodes with an agent on each, for the tests of one block. */
function startCluster(agentFlags: readonly string[]): Cluster {
  let world: World | undefined;
  let agents: readonly Agent[] = [];
  let folderPath = '';
  const started = (): World => {
    if (world === undefined) throw new Error('expected a world that has been made');
    return world;
  };

  beforeAll(async () => {
    world = await makePacketWorld();
    const folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'packets-')));
    await folder.write('objects.json', packetManifests());
    folderPath = folder.path;
    agents = nodeNames.map((node) => startAgent({ node, manifests: folder.path, flags: agentFlags }));
    await Promise.all(agents.map((agent) => agent.synced));
  });

  afterAll(async () => {
    await Promise.all(agents.map((agent) => agent.end('SIGTERM')));
    await world?.remove();
  });

  return {
    get world() {
      return started();
    },
    sluice: (...words) => runSluice({ node: 'node1', manifests: folderPath, flags: agentFlags }, ...words),
    check: async (rows) => {
      const predictor = await openPredictor(started(), configOf([...agentFlags, `--manifests=${folderPath}`]));
      const observed = await sendRows(started(), rows, isKnown);
      const judged = judge(rows, observed, predictor);
      predictor.close();
      process.stdout.write(`${summary(judged)}\n`);
      expect(judged.mismatches).toEqual([]);
      expect(judged.contradictions).toEqual([]);
      expect(judged.knownThatHold).toEqual([]);
    },
  };
}
