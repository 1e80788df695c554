import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Agent, startAgent } from './agent.ts';
import {
  endpointSlice,
  type Family,
  type Manifest,
  type ManifestFolder,
  makeManifestFolder,
  nodeObject,
  service,
} from './manifests.ts';
import type { Outcome } from './traffic/peer.ts';
import {
  clientAddress,
  inside,
  isAddressOf,
  makeWorld,
  nodeAddresses,
  type PlaceName,
  podPort,
  podRanges,
  pods,
  type World,
} from './world.ts';

const families = ['IPv4', 'IPv6'] as const;
const protocols = ['TCP', 'UDP'] as const;
const clusterIPs = { IPv4: '10.96.0.1', IPv6: 'fd00:96::1' } as const;
const vips = { IPv4: '198.51.100.7', IPv6: '2001:db8:e::7' } as const;
const dsr = { 'kube-router.io/service.dsr': 'tunnel' };

let world: World;
let folder: ManifestFolder;
let agent: Agent;

beforeAll(async () => {
  world = await makeWorld();
  await prepareFarPod();
  folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'direct-return-')));
  await folder.write('services.json', manifests(dsr));
  const flags = [`--cluster-cidr=${podRanges}`, '--direct-return'];
  agent = startAgent({ node: 'node1', manifests: folder.path, flags });
  await agent.synced;
}, 60_000);

afterAll(async () => {
  await agent.end('SIGTERM');
  await world.remove();
});

describe.each(families)('a VIP in %s whose endpoint answers directly', (family) => {
  it('shows the endpoint the client itself', async () => {
    expect(await ask('client', family, 'TCP')).toEqual({ pod: 'far', saw: clientAddress[family] });
    const listing = await inside('node1', 'ipvsadm', '-Ln');
    expect(listing).toMatch(/FWM +\d+/);
    expect(listing).toContain('Tunnel');
  });

  it.each(['idle-near', 'node1'] as const)('answers %s through this node', async (place) => {
    const outcome = await ask(place, family, 'TCP');
    expect(outcome).toMatchObject({ pod: 'far' });
    expect('saw' in outcome && isAddressOf('node1', outcome.saw)).toBe(true);
  });

  it('refuses other ports, and answers a ping, from the client and from this node', async () => {
    expect(await ask('client', family, 'TCP', 81)).toEqual({ failure: 'ECONNREFUSED' });
    expect(await ask('client', family, 'UDP', 81)).toEqual({ failure: 'ECONNREFUSED' });
    expect(await ask('node1', family, 'TCP', 81)).toEqual({ failure: 'ECONNREFUSED' });
    for (const place of ['client', 'node1'] as const) {
      expect(await inside(place, 'ping', '-c1', '-W2', vips[family])).toContain(' 0% packet loss');
    }
  });
});

async function ask(
  namespace: PlaceName,
  family: Family,
  protocol: 'TCP' | 'UDP',
  port: number = podPort,
): Promise<Outcome> {
  const [outcomes] = await world.peer.askAll([{ namespace, protocol, address: vips[family], port, patienceMs: 3_000 }]);
  const [outcome] = outcomes ?? [];
  return outcome ?? { failure: 'nothing' };
}

/** What the agent of node2 does to the pod. */
async function prepareFarPod(): Promise<void> {
  const [{ IPv4, IPv6 }] = [pods.far];
  for (const command of [
    `link add kube-tunnel-if type ipip local ${IPv4}`,
    'link set kube-tunnel-if up',
    `addr add ${vips.IPv4}/32 dev kube-tunnel-if scope link`,
    `link add kube-tunnel-v6 type ip6tnl mode ip6ip6 local ${IPv6}`,
    'link set kube-tunnel-v6 up',
    `addr add ${vips.IPv6}/128 dev kube-tunnel-v6 nodad`,
  ]) {
    await inside('far', 'ip', ...command.split(' '));
  }
}

function manifests(annotations: Readonly<Record<string, string>>): readonly Manifest[] {
  const ports = protocols.map((protocol) => ({ name: protocol.toLowerCase(), protocol, port: podPort }));
  return [
    nodeObject('node1', Object.values(nodeAddresses.node1)),
    nodeObject('node2', Object.values(nodeAddresses.node2)),
    service({
      name: 'direct',
      clusterIPs: families.map((family) => clusterIPs[family]),
      externalIPs: families.map((family) => vips[family]),
      annotations,
      ports,
    }),
    ...families.map((family) =>
      endpointSlice({
        service: 'direct',
        family,
        ports,
        endpoints: [{ address: pods.far[family], nodeName: 'node2' }],
      }),
    ),
  ];
}
