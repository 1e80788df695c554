import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countAnswers } from '../lab/traffic/result.ts';
import { clusterCIDRs } from '../lab/world/places.ts';
import type { World } from '../lab/world.ts';
import { keysOf } from '../support/keys-of.ts';
import { type Agent, startAgent } from './agent.ts';
import { makeManifestFolder } from './manifests.ts';
import { masqueradingAll, withoutDetector } from './packets/contract.ts';
import { isKnown } from './packets/known.ts';
import { configOf, openPredictor } from './packets/prediction.ts';
import { nodeNames, placeOf, type Row, rowsOf, serverPort, sources, wholeTable } from './packets/rows.ts';
import { sendRows } from './packets/send.ts';
import { families, packetManifests, serviceCases, vipKinds, vipOf } from './packets/services.ts';
import { judge, summary } from './packets/verdict.ts';
import { makePacketWorld } from './packets/world.ts';

const podRanges = `--cluster-cidr=${clusterCIDRs.IPv4},${clusterCIDRs.IPv6}`;

describe.each(['address', 'route'])('with --vip-mode=%s', (mode) => {
  const cluster = startCluster([podRanges, `--vip-mode=${mode}`]);

  it('every packet goes where the table says, and trace says so beforehand', async () => {
    const rows = rowsOf(wholeTable);
    expect(rows.length).toBeGreaterThan(5_000);
    await cluster.check(rows);
  });

  it.each(keysOf(sources))('%s may ping every VIP', async (source) => {
    const [one] = serviceCases;
    const addresses = families.flatMap((family) =>
      vipKinds.map((kind) => (one === undefined ? '' : vipOf(one, kind, family))),
    );
    const script = addresses.map((address) => `ping -c1 -W2 -q ${address}`).join(' && ');
    const said = await cluster.world.run(placeOf(cluster.world, source), ['sh', '-c', script]);
    expect(said.match(/1 received/g)).toHaveLength(addresses.length);
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
  { name: 'without a detector of pods', flags: [], table: withoutDetector },
  { name: 'with --masquerade-all', flags: [podRanges, '--masquerade-all'], table: masqueradingAll },
])('$name', ({ flags, table }) => {
  const cluster = startCluster(flags);

  it('every packet goes where the table says, and trace says so beforehand', async () => {
    const rows = rowsOf({ ...wholeTable, table, protocols: ['TCP', 'UDP'] });
    expect(rows.length).toBeGreaterThan(3_000);
    await cluster.check(rows);
  });
});

interface Cluster {
  readonly world: World;
  /** Sends the packets of the rows; expects the contract, and the predictions of `trace`, to hold. */
  readonly check: (rows: readonly Row[]) => Promise<void>;
}

/** Two nodes with an agent on each, for the tests of one block. */
function startCluster(agentFlags: readonly string[]): Cluster {
  let world: World | undefined;
  let agents: readonly Agent[] = [];
  let flags: readonly string[] = [];
  const started = (): World => {
    if (world === undefined) throw new Error('expected a world that has been made');
    return world;
  };

  beforeAll(async () => {
    world = await makePacketWorld();
    const folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'packets-')));
    await folder.write('objects.json', packetManifests());
    flags = [...agentFlags, `--manifests=${folder.path}`];
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
    check: async (rows) => {
      const predictor = await openPredictor(started(), configOf(flags));
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
