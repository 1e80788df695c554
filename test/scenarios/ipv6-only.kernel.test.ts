/** A cluster without IPv4 (18.6 in `test/faults/index.ts`), and one in which a Service has the second family only in part. */

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readVirtualServers } from '../lab/state/ipvs.ts';
import { countAnswers, isAnswer } from '../lab/traffic/result.ts';
import { clusterCIDRs, podPort } from '../lab/world/places.ts';
import { createWorld, type World } from '../lab/world.ts';
import { type Agent, startAgent } from './agent.ts';
import { endpointSlice, type ManifestFolder, makeManifestFolder, nodeObject, service } from './manifests.ts';

const vip = 'fd00:96::80';
const port = { name: '', protocol: 'TCP', port: 80, nodePort: 30_080 } as const;

let world: World;
let folder: ManifestFolder;
let agent: Agent;

beforeAll(async () => {
  world = await createWorld({
    families: ['IPv6'],
    nodes: [{ name: 'node1', pods: ['blue', 'green'] }],
    clients: ['client'],
  });
  folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'ipv6-')));
  await folder.write('node.json', [nodeObject('node1', world.node('node1').addresses.IPv6)]);
  await folder.write('web.json', [service({ name: 'web', clusterIPs: [vip], ports: [port] })]);
  await list(['blue', 'green']);
  const flags = [`--cluster-cidr=${clusterCIDRs.IPv6}`, '--ipvs-graceful-period=1s'];
  agent = startAgent({ node: 'node1', manifests: folder.path, flags });
  await agent.synced;
});

afterAll(async () => {
  await agent.end('SIGKILL');
  await world.remove();
});

function list(names: readonly string[]): Promise<void> {
  const endpoints = names.map((pod) => ({ address: world.pod(pod).addresses.IPv6[0] ?? '', nodeName: 'node1' }));
  return folder.write('slice.json', [
    endpointSlice({
      service: 'web',
      family: 'IPv6',
      ports: [{ name: '', protocol: 'TCP', port: podPort }],
      endpoints,
    }),
  ]);
}

describe('a node without IPv4', () => {
  it('serves ClusterIP and node port (#65006, #92412, #93858)', async () => {
    const client = world.client('client');
    const [node = ''] = world.node('node1').addresses.IPv6;
    for (const target of [
      { protocol: 'TCP', address: vip, port: 80 },
      { protocol: 'TCP', address: node, port: 30_080 },
    ] as const) {
      expect(countAnswers(await world.requests(client, target, 4))).toEqual({ blue: 2, green: 2 });
    }
    const own = await world.request(world.node('node1'), { protocol: 'TCP', address: vip, port: 80 });
    expect(isAnswer(own) && own.sourceSeen).toBe(node);
  });

  it('changes endpoints in place (#96449, #101506)', async () => {
    await list(['green']);
    await vi.waitUntil(async () => (await served()).join() === addressOf('green'), 5_000);
    await list(['green', 'blue']);
    await vi.waitUntil(async () => (await served()).length === 2, 5_000);
    expect(agent.log.filter(({ level, msg }) => level === 'warn' && msg.includes('refused an operation'))).toEqual([]);
  });

  it('carries out the rest when one Service comes with an address of the other family (#97343, #80297)', async () => {
    await folder.write('both.json', [
      service({
        name: 'both',
        clusterIPs: ['10.96.0.81', 'fd00:96::81'],
        externalIPs: ['198.51.100.7'],
        ports: [port],
      }),
      service({ name: 'late', clusterIPs: ['fd00:96::82'], ports: [{ ...port, nodePort: 30_082 }] }),
    ]);
    const services = async (): Promise<readonly string[]> =>
      (await readVirtualServers(world.node('node1'))).map((server) => server.service);
    await vi.waitUntil(async () => (await services()).includes('TCP [fd00:96::82]:80'), 5_000);
    expect(await services()).toEqual(expect.arrayContaining(['TCP [fd00:96::81]:80', 'TCP [fd00:96::80]:80']));
    expect(
      countAnswers(await world.requests(world.client('client'), { protocol: 'TCP', address: vip, port: 80 }, 2)),
    ).toEqual({ blue: 1, green: 1 });
  });
});

function addressOf(pod: string): string {
  return `[${world.pod(pod).addresses.IPv6[0] ?? ''}]:${podPort}`;
}

async function served(): Promise<readonly string[]> {
  const servers = await readVirtualServers(world.node('node1'));
  const web = servers.find((server) => server.service === `TCP [${vip}]:80`);
  return (web?.destinations ?? []).filter(({ weight }) => weight > 0).map(({ address }) => address);
}
