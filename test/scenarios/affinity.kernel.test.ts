/** Session affinity: a client keeps its endpoint, and loses it as soon as that endpoint drains. */

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readVirtualServers } from '../lab/state/ipvs.ts';
import { countAnswers, isAnswer, type RequestResult, type Target } from '../lab/traffic/result.ts';
import { clusterRanges, podPort } from '../lab/world/places.ts';
import { createWorld, type World } from '../lab/world.ts';
import { type Agent, startAgent } from './agent.ts';
import {
  type EndpointInput,
  endpointAt,
  endpointSlice,
  type Family,
  familyOf,
  type ManifestFolder,
  makeManifestFolder,
  nodeObject,
  service,
  type TrafficPolicy,
} from './manifests.ts';

const families: readonly Family[] = ['IPv4', 'IPv6'];
const clusterIPs = { IPv4: '10.96.0.80', IPv6: 'fd96::80' } as const;
const loadBalancerIPs = { IPv4: '198.51.100.80', IPv6: '2001:db8:80::80' } as const;
const ports = [
  { name: 'web', protocol: 'TCP', port: 80, nodePort: 30_080 },
  { name: 'dns', protocol: 'UDP', port: 53, nodePort: 30_053 },
] as const;
const everyone = { blue: 'ready', green: 'ready', far: 'ready' } as const;

let world: World;
let folder: ManifestFolder;
let agent: Agent;

beforeEach(async () => {
  const nodes = [
    { name: 'node1', pods: ['blue', 'green', 'asker'] },
    { name: 'node2', pods: ['far'] },
  ];
  world = await createWorld({ nodes, clients: ['client'] });
  folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'affinity-')));
  const { IPv4, IPv6 } = world.node('node1').addresses;
  await folder.write('node.json', [nodeObject('node1', [...IPv4, ...IPv6])]);
});

afterEach(async () => {
  await agent.end('SIGKILL');
  await world.remove();
});

describe('a client with session affinity', () => {
  it.each(['Cluster', 'Local'] as const)(
    'keeps its endpoint on every address, over TCP and UDP, in both families, with externalTrafficPolicy %s',
    async (policy) => {
      await list(everyone, { policy });
      await start();
      const strayed: string[] = [];
      for (const sender of ['client', 'asker', 'node1']) {
        for (const target of targets()) {
          const results: RequestResult[] = [];
          for (let sent = 0; sent < 4; sent += 1) results.push(await world.traffic.request(sender, target));
          const counts = countAnswers(results);
          const isKept = results.every(isAnswer) && Object.keys(counts).length === 1;
          if (!isKept) {
            strayed.push(`${sender} ${target.protocol} ${target.address}:${target.port} ${JSON.stringify(counts)}`);
          }
        }
      }
      expect(strayed).toEqual([]);
    },
  );
});

describe('a client of a Service with the scheduler mh', () => {
  it('has the same endpoint on every address of a port, without session affinity', async () => {
    await list(everyone, { timeoutSeconds: undefined, annotations: { 'sluice.dev/scheduler': 'mh' } });
    await start();
    for (const family of families) {
      const web = targets().filter((each) => each.protocol === 'TCP' && familyOf(each.address) === family);
      const names = await Promise.all(web.map(namesOf));
      expect(new Set(names.flat()).size).toBe(1);
    }
  });
});

describe('a client whose endpoint drains', () => {
  it.each(families)('goes elsewhere with its next connection over %s, and keeps the one it has', async (family) => {
    await list(everyone);
    await start();
    const address = clusterIPs[family];
    const web = { protocol: 'TCP', address, port: 80 } as const;
    const dns = { protocol: 'UDP', address, port: 53 } as const;
    const held = world.traffic.connect('client', web, { deadlineMs: 10_000 });
    const first = nameOf(await held.next());
    const firstDns = nameOf(await world.traffic.request('client', dns));
    await list({ ...everyone, [first]: 'terminating', [firstDns]: 'terminating' });
    await weightBecomes(first, family, 0);
    const results = await world.requests(world.client('client'), web, 4);
    const [second = ''] = Object.keys(countAnswers(results));
    expect(countAnswers(results)).toEqual({ [second]: 4 });
    expect([first, firstDns]).not.toContain(second);
    expect(await namesOf(dns)).toEqual([expect.not.stringMatching(`^(${first}|${firstDns})$`)]);
    expect(nameOf(await held.exchange())).toBe(first);
    await list(everyone);
    await weightBecomes(first, family, 1);
    expect(await namesOf(web)).toEqual([second]);
  });

  it('goes elsewhere inside the cluster, where its address is hashed', async () => {
    await list(everyone, { policy: 'Local' });
    await start();
    const web = { protocol: 'TCP', address: loadBalancerIPs.IPv4, port: 80 } as const;
    const held = world.traffic.connect('asker', web, { deadlineMs: 10_000 });
    const first = nameOf(await held.next());
    await list({ ...everyone, [first]: 'terminating' }, { policy: 'Local' });
    await weightBecomes(first, 'IPv4', 0);
    const results = await world.requests(world.pod('asker'), web, 4);
    const names = Object.keys(countAnswers(results));
    expect(names).toHaveLength(1);
    expect(names).not.toContain(first);
    expect(nameOf(await held.exchange())).toBe(first);
  });

  // What the sysctl is for, and what is lost where it cannot be set (docs/semantics.md).
  it('is sent to it again as long as net.ipv4.vs.expire_quiescent_template is 0', async () => {
    await list(everyone);
    await start();
    await world.traffic.writeSysctl('node1', '/proc/sys/net/ipv4/vs/expire_quiescent_template', '0');
    const web = { protocol: 'TCP', address: clusterIPs.IPv4, port: 80 } as const;
    const held = world.traffic.connect('client', web, { deadlineMs: 10_000 });
    const first = nameOf(await held.next());
    await list({ ...everyone, [first]: 'terminating' });
    await weightBecomes(first, 'IPv4', 0);
    expect(await namesOf(web)).toEqual([first]);
  });
});

function nameOf(result: RequestResult): string {
  return isAnswer(result) ? result.answeredBy : result;
}

/** Who answers the client now. */
async function namesOf(target: Target): Promise<readonly string[]> {
  return Object.keys(countAnswers(await world.requests(world.client('client'), target, 3)));
}

async function weightBecomes(pod: string, family: Family, weight: number): Promise<void> {
  const [address = ''] = world.pod(pod).addresses[family];
  const at = family === 'IPv4' ? `${address}:${podPort}` : `[${address}]:${podPort}`;
  const weights = async (): Promise<readonly number[]> => {
    const servers = (await readVirtualServers(world.node('node1'))).filter(
      ({ service: name }) => !name.startsWith('UDP'),
    );
    return servers
      .flatMap(({ destinations }) => destinations.filter((each) => each.address === at))
      .map((each) => each.weight);
  };
  await vi.waitFor(async () => expect(new Set(await weights())).toContain(weight), { timeout: 15_000, interval: 100 });
}

/** Every frontend of the Service. */
function targets(): readonly Target[] {
  return families.flatMap((family) => {
    const [nodeAddress = ''] = world.node('node1').addresses[family];
    return ports.flatMap(({ protocol, port, nodePort }) => [
      { protocol, address: clusterIPs[family], port },
      { protocol, address: loadBalancerIPs[family], port },
      { protocol, address: nodeAddress, port: nodePort },
    ]);
  });
}

async function start(): Promise<void> {
  const flags = [`--cluster-cidr=${clusterRanges}`, '--ipvs-sync-period=1s'];
  agent = startAgent({ node: 'node1', manifests: folder.path, flags });
  await agent.synced;
}

interface ListOptions {
  readonly policy?: TrafficPolicy;
  readonly timeoutSeconds?: number | undefined;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Lists these pods as endpoints, in this condition. */
async function list(
  pods: Readonly<Record<string, NonNullable<EndpointInput['condition']>>>,
  options: ListOptions = {},
): Promise<void> {
  const { policy = 'Cluster', timeoutSeconds, annotations = {} } = { timeoutSeconds: 600, ...options };
  const slices = families.map((family) =>
    endpointSlice({
      service: 'web',
      family,
      ports: ports.map(({ name, protocol }) => ({ name, protocol, port: podPort })),
      endpoints: Object.entries(pods).map(([pod, condition]) => endpointAt(world.pod(pod), family, condition)),
    }),
  );
  await folder.write('service.json', [
    service({
      name: 'web',
      clusterIPs: families.map((family) => clusterIPs[family]),
      loadBalancerIPs: families.map((family) => loadBalancerIPs[family]),
      ports,
      externalTrafficPolicy: policy,
      annotations,
      ...(timeoutSeconds === undefined ? {} : { affinityTimeoutSeconds: timeoutSeconds }),
    }),
    ...slices,
  ]);
}
