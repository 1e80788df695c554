import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isAnswer, type RequestResult } from '../lab/traffic/result.ts';
import { clusterRanges, linkRanges, podPort } from '../lab/world/places.ts';
import type { World } from '../lab/world.ts';
import { type Agent, startAgent } from './agent.ts';
import {
  endpointSlice,
  type Manifest,
  type ManifestFolder,
  makeManifestFolder,
  nodeObject,
  service,
} from './manifests.ts';
import {
  answerer,
  askAll,
  gatewayOf,
  inside,
  isAddressOf,
  makeTwoNodes,
  nodeAddresses,
  pods,
  type Question,
} from './two-nodes.ts';

const families = ['IPv4', 'IPv6'] as const;
const protocols = ['TCP', 'UDP'] as const;
const sources = ['idle-near', 'client', 'node1'] as const;
type Source = (typeof sources)[number];

const clusterIPs = { IPv4: '10.96.0.1', IPv6: 'fd00:96::1' } as const;
/** Of the same Service, whose external policy is Local; an endpoint on each node. */
const loadBalancerIPs = { IPv4: '198.51.100.1', IPv6: '2001:db8:e::1' } as const;

/** What each source meets: the pods that answer and whom they see, at the ClusterIP and at the load-balancer IP. */
type Seen = Readonly<Record<Source, readonly [clusterIP: string, loadBalancerIP: string]>>;

const withDetector: Seen = {
  'idle-near': ['far, near saw itself', 'far, near saw itself'],
  client: ['far, near saw node1', 'near saw itself'],
  node1: ['far, near saw node1', 'far, near saw node1'],
};
const withoutDetector: Seen = {
  'idle-near': ['far, near saw itself', 'near saw itself'],
  client: ['far, near saw itself', 'near saw itself'],
  node1: ['far, near saw node1', 'far, near saw node1'],
};

let world: World;
let folder: ManifestFolder;
let agent: Agent;

beforeAll(async () => {
  world = await makeTwoNodes();
  await bridgePod();
  // Where nobody is masqueraded, what far answers has to pass the node that was asked.
  for (const family of families) {
    const range = linkRanges.clients[family];
    await inside('node2', 'ip', 'route', 'replace', range, 'via', nodeAddresses.node1[family]);
  }
  folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'detect-local-')));
  await folder.write('services.json', services());
  await writeNode([]);
}, 60_000);

afterEach(() => agent.end('SIGTERM'));
afterAll(() => world.remove());

describe('--detect-local-mode', () => {
  it.each([
    ['ClusterCIDR', [`--cluster-cidr=${clusterRanges}`], withDetector],
    ['ClusterCIDR without a CIDR', [], withoutDetector],
    ['BridgeInterface', ['--detect-local-mode=BridgeInterface', '--pod-bridge-interface=cni0'], withDetector],
    [
      'InterfaceNamePrefix',
      ['--detect-local-mode=InterfaceNamePrefix', '--pod-interface-name-prefix=cn'],
      withDetector,
    ],
    [
      'InterfaceNamePrefix of others',
      ['--detect-local-mode=InterfaceNamePrefix', '--pod-interface-name-prefix=ni'],
      {
        ...withDetector,
        'idle-near': ['far, near saw node1', 'near saw itself'],
      },
    ],
  ] as const)('%s', async (_, flags, expected) => {
    await start(flags);
    expect(await seen()).toEqual(inEveryWay(expected));
  });

  it('NodeCIDR waits for the podCIDRs of the Node and follows them, without a restart', async () => {
    await start(['--detect-local-mode=NodeCIDR']);
    await agent.line((line) => line['reason'] === 'the Node has no podCIDRs; waiting for them');
    expect(await seen()).toEqual(inEveryWay(withoutDetector));
    await changed(() => writeNode(['10.1.0.0/24', 'fd10:1::/64']));
    await agent.line((line) => line.msg === 'pods can be told from other clients now');
    expect(await seen()).toEqual(inEveryWay(withDetector));
    await changed(() => writeNode(['10.1.0.0/25', 'fd10:1:0:0:8000::/65']));
    expect(await seen('IPv4')).toEqual(inEveryWay(withDetector, 'IPv4'));
    await changed(() => writeNode([]));
    expect(await seen()).toEqual(inEveryWay(withoutDetector));
  });
});

/** `idle-near` on a bridge, as most network plugins have it. */
async function bridgePod(): Promise<void> {
  const gateway = gatewayOf('node1');
  const { IPv4, IPv6 } = pods['idle-near'];
  const commands = [
    'link add cni0 type bridge',
    'link set cni0 up',
    'addr flush dev pod-idle-near',
    'link set pod-idle-near master cni0',
    `addr add ${gateway.IPv4}/32 dev cni0`,
    `addr add ${gateway.IPv6}/128 dev cni0 nodad`,
    `route replace ${IPv4}/32 dev cni0`,
    `route replace ${IPv6}/128 dev cni0`,
  ];
  for (const command of commands) await inside('node1', 'ip', ...command.split(' '));
}

async function start(flags: readonly string[]): Promise<void> {
  agent = startAgent({ node: 'node1', manifests: folder.path, flags });
  await agent.synced;
}

async function changed(change: () => Promise<void>): Promise<void> {
  const passes = (): number => agent.log.filter((line) => line['trigger'] === 'context').length;
  const before = passes();
  await change();
  await agent.line(() => passes() > before);
}

function writeNode(podCIDRs: readonly string[]): Promise<void> {
  const node = { ...nodeObject('node1', Object.values(nodeAddresses.node1)), spec: { podCIDRs } };
  return folder.write('node.json', [node]);
}

function inEveryWay(expected: Seen, ...only: readonly (typeof families)[number][]): readonly string[] {
  return ways(only).map((way) => `${nameOf(way)}: ${expected[way.source][way.frontend === 'ClusterIP' ? 0 : 1]}`);
}

async function seen(...only: readonly (typeof families)[number][]): Promise<readonly string[]> {
  const lines = new Map<string, string>();
  // Source by source: two requests show both endpoints as long as nobody else asks the same virtual server.
  for (const each of sources) {
    const own = ways(only).filter(({ source }) => source === each);
    const answers = await askAll(
      world,
      own.map(({ source, protocol, family, frontend }): Question => {
        const address = frontend === 'ClusterIP' ? clusterIPs[family] : loadBalancerIPs[family];
        return { from: source, protocol, address, port: 80, count: 2, patienceMs: 5_000 };
      }),
    );
    own.forEach((way, index) => lines.set(nameOf(way), describeResults(answers[index] ?? [], each)));
  }
  return ways(only).map((way) => `${nameOf(way)}: ${lines.get(nameOf(way))}`);
}

type Way = ReturnType<typeof ways>[number];

function nameOf({ source, protocol, family, frontend }: Way): string {
  return `${source} ${protocol} ${family} ${frontend}`;
}

function ways(only: readonly (typeof families)[number][]) {
  return (only.length === 0 ? families : only).flatMap((family) =>
    protocols.flatMap((protocol) =>
      sources.flatMap((source) =>
        (['ClusterIP', 'load-balancer IP'] as const).map((frontend) => ({ source, protocol, family, frontend })),
      ),
    ),
  );
}

function describeResults(results: readonly RequestResult[], source: Source): string {
  const answers = results.filter((result) => isAnswer(result));
  if (answers.length < results.length) return results.map((result) => answerer(result)).join(' and ');
  const whom = (saw: string): string => {
    return isAddressOf('node1', saw) ? 'node1' : isAddressOf(source, saw) ? 'itself' : saw;
  };
  const names = [...new Set(answers.map(({ answeredBy }) => answeredBy))].sort();
  return `${names.join(', ')} saw ${[...new Set(answers.map(({ sourceSeen }) => whom(sourceSeen)))].join(' and ')}`;
}

function services(): readonly Manifest[] {
  const ports = protocols.map((protocol) => ({ name: protocol.toLowerCase(), protocol }));
  return [
    service({
      name: 'seen',
      clusterIPs: Object.values(clusterIPs),
      loadBalancerIPs: Object.values(loadBalancerIPs),
      externalTrafficPolicy: 'Local',
      ports: ports.map((port) => ({ ...port, port: 80 })),
    }),
    ...families.map((family) =>
      endpointSlice({
        service: 'seen',
        family,
        ports: ports.map((port) => ({ ...port, port: podPort })),
        endpoints: (['near', 'far'] as const).map((pod) => ({ address: pods[pod][family], nodeName: pods[pod].node })),
      }),
    ),
  ];
}
