/**
 * UDP clients that keep one source port and send all the time: from outside, from a pod and from the node itself, to a
 * ClusterIP and a node port, in both families, all at once. Whatever happens to the endpoint that one of them is on, it
 * is answered again within a second, and those on other endpoints notice nothing.
 */

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAnswer, type RequestResult } from '../lab/traffic/result.ts';
import type { Flow } from '../lab/traffic/traffic.ts';
import { clusterRanges, podPort } from '../lab/world/places.ts';
import { createWorld, type World } from '../lab/world.ts';
import { type Agent, startAgent } from './agent.ts';
import {
  type EndpointInput,
  endpointAt,
  endpointSlice,
  type Family,
  type ManifestFolder,
  makeManifestFolder,
  nodeObject,
  service,
  type TrafficPolicy,
} from './manifests.ts';

const families: readonly Family[] = ['IPv4', 'IPv6'];
const clusterIPs = { IPv4: '10.96.0.53', IPv6: 'fd96::53' } as const;
const nodePort = 30_053;
const senders = ['client', 'asker', 'node1'] as const;
const recoveryMs = 1_000;

let world: World;
let folder: ManifestFolder;
let agent: Agent;
let clients: readonly Client[];

/** One source port that sends every 50 ms. */
interface Client {
  /** `client IPv4 node port`. */
  readonly name: string;
  readonly flow: Flow;
}

beforeEach(async () => {
  clients = [];
  const nodes = [
    { name: 'node1', pods: ['blue', 'green', 'asker'] },
    { name: 'node2', pods: ['far'] },
  ];
  world = await createWorld({ nodes, clients: ['client'] });
  folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'udp-')));
  // Node and client share a link: while there is no VIP, the node would send the client on to its own gateway.
  for (const file of ['ipv4/conf/all', 'ipv4/conf/eth0', 'ipv6/conf/eth0']) {
    await world.traffic.writeSysctl('client', `/proc/sys/net/${file}/accept_redirects`, '0');
  }
  const { IPv4, IPv6 } = world.node('node1').addresses;
  await folder.write('node.json', [nodeObject('node1', [...IPv4, ...IPv6])]);
});

afterEach(async () => {
  await Promise.all(clients.map(({ flow }) => flow.stop()));
  await agent.end('SIGKILL');
  await world.remove();
});

describe('UDP flows', () => {
  it('leave an endpoint that died as soon as the API says so (#71514)', async () => {
    await list({ blue: 'ready', far: 'ready' });
    await startSynced();
    startClients();
    expect(await elsewhere('blue', 'far')).toEqual([]);
    const steady = clients.filter(({ flow }) => lastName(flow) === 'far');
    expect(steady.length).toBeGreaterThan(0);
    expect(steady.length).toBeLessThan(clients.length);
    const failuresBefore = steady.map(({ flow }) => flow.failures.length);
    await kill('blue');
    await sleep(300);
    await list({ far: 'ready' });
    expect(await elsewhere('far')).toEqual([]);
    expect(steady.map(({ flow }) => flow.failures.length)).toEqual(failuresBefore);
  });

  it('leave an endpoint that died while the agent was down (#125467)', async () => {
    await list({ blue: 'ready', far: 'ready' });
    await startSynced();
    startClients();
    expect(await elsewhere('blue', 'far')).toEqual([]);
    await agent.end('SIGKILL');
    await kill('blue');
    await list({ far: 'ready' });
    await startSynced();
    expect(await elsewhere('far')).toEqual([]);
  });

  it('leave an endpoint that died under Local policies, in both views', async () => {
    await list({ blue: 'ready', green: 'ready' }, { policy: 'Local' });
    await startSynced();
    startClients();
    expect(await elsewhere('blue', 'green')).toEqual([]);
    await kill('blue');
    await list({ green: 'ready' }, { policy: 'Local' });
    expect(await elsewhere('green')).toEqual([]);
  });

  it('come back to their only endpoint when it is ready again', async () => {
    await list({ blue: 'ready' });
    await startSynced();
    startClients();
    expect(await elsewhere('blue')).toEqual([]);
    await list({ blue: 'gone' });
    expect(await elsewhere('refused')).toEqual([]);
    await list({ blue: 'ready' });
    expect(await elsewhere('blue')).toEqual([]);
  });

  it('follow a new target port', async () => {
    for (const family of families) {
      const [address = ''] = world.pod('blue').addresses[family];
      await world.traffic.listen('blue', { protocol: 'UDP', address, port: 9090 }, 'blue-9090');
    }
    await list({ blue: 'ready' });
    await startSynced();
    startClients();
    expect(await elsewhere('blue')).toEqual([]);
    await list({ blue: 'ready' }, { targetPort: 9090 });
    expect(await elsewhere('blue-9090')).toEqual([]);
  });

  it('that went astray before the Service existed find it', async () => {
    await startSynced();
    startClients();
    await sleep(500);
    expect(clients.filter(({ flow }) => flow.results.some(isAnswer))).toEqual([]);
    await list({ far: 'ready' });
    expect(await elsewhere('far')).toEqual([]);
    const [address = ''] = world.node('node1').addresses.IPv4;
    expect(addressesSeen('client IPv4')).toEqual([address]);
  });

  it('that went astray while no agent ran find the Service when it starts', async () => {
    await list({ far: 'ready' });
    startClients();
    await sleep(500);
    await startSynced();
    expect(await elsewhere('far')).toEqual([]);
    expect(await deletedFlows()).toBeGreaterThan(0);
  });

  it('that another proxy translated leave a dead endpoint, and stay on a live one', async () => {
    await translate('blue');
    startClients();
    expect(await elsewhere('blue')).toEqual([]);
    await translate('far');
    // A busy machine may take its time, a lost datagram is lost.
    const late = startClients(3_000);
    expect(await elsewhere('blue', 'far')).toEqual([]);
    await kill('blue');
    await stopTranslating();
    await list({ far: 'ready', green: 'ready' });
    await startSynced();
    expect(await elsewhere('far', 'green')).toEqual([]);
    expect(late.flatMap(({ flow }) => flow.failures)).toEqual([]);
    expect(late.map(({ flow }) => lastName(flow))).toEqual(late.map(() => 'far'));
  });
});

/** `deadlineMs`: so long a datagram is waited for before the next one is sent. */
function startClients(deadlineMs = 250): readonly Client[] {
  const started = senders.flatMap((sender) =>
    families.flatMap((family) => {
      const [nodeAddress = ''] = world.node('node1').addresses[family];
      const places = [
        ['ClusterIP', clusterIPs[family], 53],
        ['node port', nodeAddress, nodePort],
      ] as const;
      return places.map(([kind, address, port]) => ({
        name: `${sender} ${family} ${kind}`,
        flow: world.traffic.connect(sender, { protocol: 'UDP', address, port }, { intervalMs: 50, deadlineMs }),
      }));
    }),
  );
  clients = [...clients, ...started];
  return started;
}

/** The clients that are not, within the time of a recovery, answered by one of these, or get this failure. */
async function elsewhere(...names: readonly string[]): Promise<readonly string[]> {
  const begin = performance.now();
  const seen = clients.map(({ flow }) => flow.results.length);
  const missing = (): readonly string[] =>
    clients
      .filter(({ flow }, index) => flow.results.length <= (seen[index] ?? 0) || !names.includes(lastName(flow)))
      .map(({ name, flow }) => `${name}: ${lastName(flow)}`);
  while (missing().length > 0 && performance.now() - begin < recoveryMs) {
    await sleep(10);
  }
  return missing();
}

function lastName(flow: Flow): string {
  const last: RequestResult | undefined = flow.results.at(-1);
  return last === undefined ? 'nothing yet' : isAnswer(last) ? last.answeredBy : last;
}

/** The sources that endpoints saw of clients whose name begins so. */
function addressesSeen(prefix: string): readonly string[] {
  const results = clients.filter(({ name }) => name.startsWith(prefix)).flatMap(({ flow }) => flow.results);
  return [...new Set(results.filter(isAnswer).map((answer) => answer.sourceSeen))];
}

/** The pod is gone without a word. */
async function kill(pod: string): Promise<void> {
  await world.run(world.pod(pod), ['ip', 'link', 'set', 'eth0', 'down']);
}

/** Another proxy sends Service traffic of new clients to this pod; those it had stay where they are. */
async function translate(pod: string): Promise<void> {
  await stopTranslating();
  const rules = families.flatMap((family) => {
    const ip = family === 'IPv4' ? 'ip' : 'ip6';
    const [address = ''] = world.pod(pod).addresses[family];
    const [node = ''] = world.node('node1').addresses[family];
    const to = family === 'IPv4' ? `${address}:${podPort}` : `[${address}]:${podPort}`;
    return [
      `${ip} daddr ${clusterIPs[family]} udp dport 53 dnat ${ip} to ${to}`,
      `${ip} daddr ${node} udp dport ${nodePort} dnat ${ip} to ${to}`,
    ];
  });
  const chain = (hook: string): string => `chain ${hook} { type nat hook ${hook} priority -100; ${rules.join('; ')}; }`;
  const masquerade = 'chain out { type nat hook postrouting priority srcnat; ct status dnat masquerade; }';
  // While any rule translates, what was translated goes on; without one, connection tracking stops. A network plugin's
  // is always there.
  const plugin =
    'table inet plugin { chain out { type nat hook postrouting priority srcnat; oifname none masquerade; }; }';
  const table = `${plugin}; table inet other { ${chain('prerouting')}; ${chain('output')}; ${masquerade}; }`;
  await world.run(world.node('node1'), ['nft', table]);
}

async function stopTranslating(): Promise<void> {
  await world.run(world.node('node1'), ['nft', 'add table inet other; delete table inet other']);
}

async function startSynced(): Promise<void> {
  const flags = [`--cluster-cidr=${clusterRanges}`];
  agent = startAgent({ node: 'node1', manifests: folder.path, flags });
  await agent.synced;
}

async function deletedFlows(): Promise<number> {
  const metrics = await agent.metrics();
  const name = 'kubeproxy_conntrack_reconciler_deleted_entries_total';
  return families.reduce((sum, family) => sum + (metrics.get(`${name}{ip_family="${family}"}`) ?? 0), 0);
}

interface ListOptions {
  readonly targetPort?: number;
  /** Both traffic policies. */
  readonly policy?: TrafficPolicy;
}

/** Lists these pods as endpoints, in this condition. */
async function list(
  pods: Readonly<Record<string, NonNullable<EndpointInput['condition']>>>,
  { targetPort = podPort, policy = 'Cluster' }: ListOptions = {},
): Promise<void> {
  const slices = families.map((family) =>
    endpointSlice({
      service: 'dns',
      family,
      ports: [{ name: 'dns', protocol: 'UDP', port: targetPort }],
      endpoints: Object.entries(pods).map(([pod, condition]) => endpointAt(world.pod(pod), family, condition)),
    }),
  );
  await folder.write('service.json', [
    service({
      name: 'dns',
      clusterIPs: families.map((family) => clusterIPs[family]),
      ports: [{ name: 'dns', protocol: 'UDP', port: 53, nodePort }],
      internalTrafficPolicy: policy,
      externalTrafficPolicy: policy,
    }),
    ...slices,
  ]);
}
