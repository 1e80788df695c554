import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterRanges, podPort } from '../lab/world/places.ts';
import type { World } from '../lab/world.ts';
import { type Agent, startAgent } from './agent.ts';
import {
  endpointSlice,
  type Family,
  type Manifest,
  type ManifestFolder,
  makeManifestFolder,
  nodeObject,
  type Protocol,
  service,
} from './manifests.ts';
import { answerer, askAll, clientAddress, makeTwoNodes, nodeAddresses, pods } from './two-nodes.ts';

const families = ['IPv4', 'IPv6'] as const;
const protocols = ['TCP', 'UDP'] as const;
const sources = ['client', 'idle-near', 'node1'] as const;
type Source = (typeof sources)[number];

const clusterIPs = { IPv4: '10.96.0.1', IPv6: 'fd00:96::1' } as const;
/** A load-balancer IP; the second of each family is an external IP too. */
const loadBalancerIPs = { IPv4: ['198.51.100.1', '198.51.100.2'], IPv6: ['2001:db8:e::1', '2001:db8:e::2'] } as const;
const externalIPs = { IPv4: ['198.51.100.2', '198.51.100.3'], IPv6: ['2001:db8:e::2', '2001:db8:e::3'] } as const;

let world: World;
let folder: ManifestFolder;
let agent: Agent;

beforeAll(async () => {
  world = await makeTwoNodes();
  folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'source-ranges-')));
  await folder.write('services.json', manifests(rangesFor('client')));
  agent = startAgent({ node: 'node1', manifests: folder.path, flags: [`--cluster-cidr=${clusterRanges}`] });
  await agent.synced;
}, 60_000);

afterAll(async () => {
  await agent.end('SIGTERM');
  await world.remove();
});

describe.each(sources)('source ranges with the address of %s', (allowed) => {
  it('let it alone reach the load-balancer IPs, and leave every other frontend open (S9, S10)', async () => {
    if (allowed !== 'client') {
      await folder.write('services.json', manifests(rangesFor(allowed)));
      await agent.line(
        () => agent.log.filter((line) => line['trigger'] === 'change').length >= sources.indexOf(allowed),
      );
    }
    const expected = rows().map((row) => {
      const answers = !row.isRestricted || row.source === allowed;
      return `${row.name}: ${answers ? 'near' : 'timeout'}`;
    });
    const outcomes = await askAll(
      world,
      rows().map(({ source, protocol, address, port, isRestricted }) => ({
        from: source,
        protocol,
        address,
        port,
        patienceMs: isRestricted && source !== allowed ? 300 : 5_000,
      })),
    );
    expect(rows().map((row, index) => `${row.name}: ${answerer(outcomes[index]?.[0])}`)).toEqual(expected);
  });
});

interface Row {
  readonly name: string;
  readonly source: Source;
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  readonly isRestricted: boolean;
}

function rows(): readonly Row[] {
  return families.flatMap((family) =>
    protocols.flatMap((protocol) => sources.flatMap((source) => rowsOf(family, protocol, source))),
  );
}

function rowsOf(family: Family, protocol: Protocol, source: Source): readonly Row[] {
  const row = (address: string, port: number, isRestricted: boolean): Row => {
    return { name: `${source} ${protocol} ${address} ${port}`, source, protocol, address, port, isRestricted };
  };
  return [
    ...loadBalancerIPs[family].map((address) => row(address, 80, true)),
    row(externalIPs[family][1], 80, false),
    row(clusterIPs[family], 80, false),
    row(nodeAddresses.node1[family], 30_080, false),
  ];
}

/** Overlapping ones, and white space as old objects have it. */
function rangesFor(source: Source): readonly string[] {
  const addresses: Readonly<Record<Source, Readonly<Record<Family, string>>>> = {
    client: clientAddress,
    'idle-near': pods['idle-near'],
    node1: nodeAddresses.node1,
  };
  const { IPv4, IPv6 } = addresses[source];
  return [` ${IPv4}/32 `, `${IPv4}/31`, `${IPv6}/128`, `${IPv6}/127`];
}

function manifests(loadBalancerSourceRanges: readonly string[]): readonly Manifest[] {
  const ports = protocols.map((protocol) => ({ name: protocol.toLowerCase(), protocol }));
  return [
    nodeObject('node1', Object.values(nodeAddresses.node1)),
    service({
      name: 'guarded',
      clusterIPs: families.map((family) => clusterIPs[family]),
      loadBalancerIPs: families.flatMap((family) => loadBalancerIPs[family]),
      externalIPs: families.flatMap((family) => externalIPs[family]),
      loadBalancerSourceRanges,
      ports: ports.map((port) => ({ ...port, port: 80, nodePort: 30_080 })),
    }),
    ...families.map((family) =>
      endpointSlice({
        service: 'guarded',
        family,
        ports: ports.map((port) => ({ ...port, port: podPort })),
        endpoints: [{ address: pods.near[family], nodeName: 'node1' }],
      }),
    ),
  ];
}
