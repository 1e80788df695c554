import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RuntimeServer, servedSandbox, serveRuntime } from '../cri/runtime-server.ts';
import { isAnswer, type RequestResult } from '../lab/traffic/result.ts';
import { clusterRanges, podPort } from '../lab/world/places.ts';
import type { World } from '../lab/world.ts';
import { type Agent, type AgentInput, type LogLine, runSluice, startAgent } from './agent.ts';
import {
  type EndpointInput,
  endpointSlice,
  type Family,
  type Manifest,
  type ManifestFolder,
  makeManifestFolder,
  namespace,
  nodeObject,
  service,
} from './manifests.ts';
import { ask as askAs, clientAddress, inside, makeTwoNodes, nodeAddresses, pods } from './two-nodes.ts';

const families = ['IPv4', 'IPv6'] as const;
const protocols = ['TCP', 'UDP'] as const;
const clusterIPs = { IPv4: '10.96.0.1', IPv6: 'fd00:96::1' } as const;
const vips = { IPv4: '198.51.100.7', IPv6: '2001:db8:e::7' } as const;
const local = ['near', 'near-too'] as const;
type Local = (typeof local)[number];

let world: World;
let root: string;
let folder: ManifestFolder;
let runtime: RuntimeServer;
let input: AgentInput;
let agent: Agent;
/** Of pods and node before anything was done to them. */
let before: string;

beforeAll(async () => {
  world = await makeTwoNodes();
  root = await mkdtemp(join(tmpdir(), 'direct-return-pods-'));
  runtime = await serveRuntime(join(root, 'cri.sock'));
  for (const pod of local) await runPod(pod);
  // As strict as a pod can be: a client is never to be reached through the tunnel device.
  await inside('near', 'sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=1', 'net.ipv4.conf.default.rp_filter=1');
  folder = await makeManifestFolder(join(root, 'manifests'));
  await write({}, { near: 'ready', 'near-too': 'ready' });
  const flags = [
    `--cluster-cidr=${clusterRanges}`,
    '--direct-return',
    `--runtime-endpoint=unix://${runtime.socket}`,
    `--direct-return-records=${join(root, 'records')}`,
    '--ipvs-graceful-period=2s',
  ];
  input = { node: 'node1', manifests: folder.path, flags };
  agent = startAgent(input);
  await agent.synced;
  before = await listing();
}, 60_000);

afterAll(async () => {
  await agent.end('SIGTERM');
  runtime.close();
  await world.remove();
  await rm(root, { recursive: true });
});

describe('pods of this node that answer directly', () => {
  it('are prepared through the container runtime, see the client itself and answer it', async () => {
    await write(dsr, { near: 'ready', 'near-too': 'ready' });
    await becomesDirect();
    const metrics = await inside('node1', 'curl', '-fsS', 'http://127.0.0.1:10249/metrics');
    expect(metrics).toContain(`sluice_pod_tunnels{state="prepared"} ${local.length * families.length}\n`);
    for (const family of families) {
      for (const protocol of protocols) {
        const results = await ask(family, protocol, 8);
        const answers = results.filter((result) => isAnswer(result));
        expect(answers).toHaveLength(results.length);
        expect(new Set(answers.map(({ sourceSeen }) => sourceSeen))).toEqual(new Set([clientAddress[family]]));
        expect(new Set(answers.map(({ answeredBy }) => answeredBy))).toEqual(new Set(local));
      }
    }
  });

  it('never tell the node that they have the VIP when they ask for its address', async () => {
    // The node goes on knowing its pods: asked by it, they would not have to ask.
    for (const pod of local) await inside(pod, 'ip', 'neigh', 'flush', 'dev', 'eth0');
    expect((await ask('IPv4', 'TCP', 4)).every((result) => isAnswer(result))).toBe(true);
    const neighbours = await inside('node1', 'ip', '-4', 'neigh');
    for (const pod of local) expect(neighbours).toContain(pods[pod].IPv4);
    expect(neighbours).not.toContain(vips.IPv4);
  });

  it('are found prepared after a kill and go on answering', async () => {
    const prepared = await listing();
    await agent.end('SIGKILL');
    expect((await ask('IPv4', 'TCP', 4)).every((result) => isAnswer(result))).toBe(true);
    const asked = runtime.calls.length;
    agent = startAgent(input);
    await agent.synced;
    expect(await listing()).toBe(prepared);
    expect(runtime.calls).toHaveLength(asked);
    expect(agent.log.filter(({ msg }) => msg.includes('pod'))).toEqual([]);
  });

  it('are as they were before once the annotation is gone, and so is the node', async () => {
    await write({}, { near: 'ready', 'near-too': 'ready' });
    await restored();
    await expect.poll(listing, { timeout: 20_000 }).toBe(before);
  });

  it('are as they were before after cleanup, with the agent killed while they are prepared', async () => {
    await write(dsr, { near: 'ready', 'near-too': 'ready' });
    await becomesDirect();
    await agent.end('SIGKILL');
    const { status, stdout } = await runSluice(input, 'cleanup');
    expect(status).toBe(0);
    expect(stdout).toContain(`network of pod ${namespace}/near (${pods.near.IPv4})`);
    expect(await podListing()).toBe(before.slice(before.indexOf(podMark)));
    agent = startAgent(input);
    await agent.synced;
    await becomesDirect();
  });

  it('come and go for a minute under constant requests, and not one request fails', async () => {
    const target = { protocol: 'TCP', address: vips.IPv4, port: podPort } as const;
    const requests = world.traffic.stream('client', target, { intervalMs: 5, deadlineMs: 3_000 });
    const until = performance.now() + 60_000;
    let rounds = 0;
    for (; performance.now() < until; rounds += 1) {
      const [going, staying] = rounds % 2 === 0 ? (['near', 'near-too'] as const) : (['near-too', 'near'] as const);
      await write(dsr, { [going]: 'terminating', [staying]: 'ready' });
      await pause(500);
      const isRestored = newLine('network of pod restored', going);
      await write(dsr, { [staying]: 'ready' });
      await agent.line(isRestored, 15_000);
      const isPrepared = newLine('pod answers clients directly', going);
      // Every other one is Ready at first sight, before its network is prepared.
      if (rounds % 4 < 2) {
        await write(dsr, { [going]: 'gone', [staying]: 'ready' });
        await pause(300);
      }
      await write(dsr, { [going]: 'ready', [staying]: 'ready' });
      await agent.line(isPrepared, 15_000);
      await pause(300);
    }
    await requests.stop();
    const answers = requests.results.filter((result) => isAnswer(result));
    const count = (pod: Local): number => answers.filter(({ answeredBy }) => answeredBy === pod).length;
    const direct = answers.filter(({ sourceSeen }) => sourceSeen === clientAddress.IPv4).length;
    console.log(`${answers.length} requests, ${direct} answered directly, while ${rounds} pods came and went`);
    // The others came while no pod was prepared, and went through the node.
    expect(direct).toBeGreaterThan(answers.length / 2);
    expect(requests.failures).toEqual([]);
    expect(answers.length).toBeGreaterThan(60 * 100);
    expect(rounds).toBeGreaterThan(8);
    for (const pod of local) expect(count(pod)).toBeGreaterThan(500);
  }, 180_000);
});

const dsr = { 'sluice.dev/dsr': 'tunnel' };
const podMark = '== near';

/** It answers at the VIPs too, once it holds them. */
async function runPod(pod: Local): Promise<void> {
  await inside(pod, 'sysctl', '-qw', 'net.ipv4.ip_nonlocal_bind=1', 'net.ipv6.ip_nonlocal_bind=1');
  for (const family of families) {
    for (const protocol of protocols) {
      await world.traffic.listen(pod, { protocol, address: vips[family], port: podPort }, pod);
    }
  }
  const { IPv4, IPv6 } = pods[pod];
  const networkNamespace = `/run/netns/${pod}`;
  const id = `sandbox-${pod}`;
  runtime.sandboxes.set(id, servedSandbox({ id, namespace, name: pod, addresses: [IPv4, IPv6], networkNamespace }));
}

/** A line about a pod that comes after this was asked. */
function newLine(msg: string, pod: Local): (line: LogLine) => boolean {
  const seen = agent.log.length;
  return (line) => line.msg === msg && line['address'] === pods[pod].IPv4 && agent.log.indexOf(line) >= seen;
}

async function becomesDirect(): Promise<void> {
  for (const pod of local) {
    await expect.poll(() => inside(pod, 'ip', 'address'), { timeout: 15_000 }).toContain(vips.IPv4);
    await expect.poll(() => inside(pod, 'ip', 'address'), { timeout: 15_000 }).toContain(vips.IPv6);
  }
  const tunnels = async (): Promise<number> => (await inside('node1', 'ipvsadm', '-Ln')).match(/Tunnel/g)?.length ?? 0;
  await expect.poll(tunnels, { timeout: 15_000 }).toBe(families.length * protocols.length * local.length);
}

async function restored(): Promise<void> {
  for (const pod of local) {
    await expect.poll(() => inside(pod, 'ip', 'link'), { timeout: 20_000 }).not.toContain('kube-tunnel');
  }
}

function ask(family: Family, protocol: 'TCP' | 'UDP', count: number): Promise<readonly RequestResult[]> {
  return askAs(world, { from: 'client', protocol, address: vips[family], port: podPort, count, patienceMs: 3_000 });
}

/** Everything that programs could have left on the node and in its pods. */
async function listing(): Promise<string> {
  const node = [
    await inside('node1', 'ipvsadm', '-Sn'),
    (await inside('node1', 'ip', 'rule')) + (await inside('node1', 'ip', '-6', 'rule')),
    await routes('node1'),
    await inside('node1', 'ip', 'address'),
    await inside('node1', 'nft', 'list', 'ruleset'),
  ];
  return [...node, await podListing()].join('\n');
}

async function podListing(): Promise<string> {
  const parts: string[] = [];
  for (const pod of local) {
    const address = (await inside(pod, 'ip', '-d', 'address')).replaceAll(/valid_lft.*$/gm, '');
    const conf = await inside(pod, 'sysctl', '-a', '--pattern', String.raw`^net\.ipv[46]\.conf\.`);
    parts.push(`== ${pod}`, address, await routes(pod), await inside(pod, 'ip', 'fou', 'show'), conf);
  }
  return parts.join('\n');
}

async function routes(place: 'node1' | Local): Promise<string> {
  const show = (family: string) => inside(place, 'ip', family, 'route', 'show', 'table', 'all');
  return `${await show('-4')}\n${await show('-6')}`.replaceAll(/ expires \d+sec/g, '');
}

async function write(
  annotations: Readonly<Record<string, string>>,
  conditions: Partial<Record<Local, EndpointInput['condition']>>,
): Promise<void> {
  const ports = protocols.map((protocol) => ({ name: protocol.toLowerCase(), protocol, port: podPort }));
  const objects: readonly Manifest[] = [
    nodeObject('node1', Object.values(nodeAddresses.node1)),
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
        endpoints: local.flatMap((pod): readonly EndpointInput[] => {
          const condition = conditions[pod];
          return condition === undefined ? [] : [{ address: pods[pod][family], nodeName: 'node1', pod, condition }];
        }),
      }),
    ),
  ];
  await folder.write('services.json', objects);
}
