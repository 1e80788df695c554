/**
 * Faults that others had, one test for each, named as in `test/faults/index.ts`: S1 to S18 are those of kube-proxy's IPVS
 * mode, `#n` are issues of kubernetes/kubernetes. What the packet table tests in full is only sampled here.
 */

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { isAnswer, type RequestResult } from '../lab/traffic/result.ts';
import { clusterRanges, podPort } from '../lab/world/places.ts';
import type { World } from '../lab/world.ts';
import { type Agent, startAgent } from './agent.ts';
import {
  endpointSlice,
  type Manifest,
  type ManifestFolder,
  makeManifestFolder,
  nodeObject,
  type ServiceInput,
  service,
} from './manifests.ts';
import {
  answerer,
  ask as askAs,
  clientAddress,
  inside,
  isAddressOf,
  makeTwoNodes,
  nodeAddresses,
  nodeNames,
  type PlaceName,
  type PodName,
  pods,
  serveEverywhere,
} from './two-nodes.ts';

const node = nodeAddresses.node1.IPv4;
const daemonPort = 9_999;

/** One Service each, by the last number of its addresses. */
const services = {
  elsewhere: { number: 1, pods: ['far'], spec: { externalTrafficPolicy: 'Local', healthCheckNodePort: 30_801 } },
  both: { number: 2, pods: ['near', 'far'], spec: { externalTrafficPolicy: 'Local' } },
  internal: { number: 3, pods: ['far'], spec: { internalTrafficPolicy: 'Local' } },
  plain: { number: 4, pods: ['near', 'far'], spec: {} },
  // At the address of node1 itself.
  own: { number: 5, pods: ['near'], spec: { loadBalancerIPs: [node], healthCheckNodePort: 30_805 } },
  // Its port at the load-balancer IP is the number of the node port of `plain`.
  numbered: { number: 6, pods: ['near'], spec: { externalTrafficPolicy: 'Local' }, port: 30_004 },
  far: { number: 7, pods: ['far'], spec: {} },
} as const satisfies Readonly<
  Record<string, { number: number; pods: readonly PodName[]; spec: Partial<ServiceInput>; port?: number }>
>;

type ServiceName = keyof typeof services;

function clusterIP(name: ServiceName): string {
  return `10.96.9.${services[name].number}`;
}

function loadBalancerIP(name: ServiceName): string {
  return `198.18.9.${services[name].number}`;
}

function nodePort(name: ServiceName): number {
  return 30_000 + services[name].number;
}

function manifestsOf(name: ServiceName, endpoints: readonly PodName[] = services[name].pods): readonly Manifest[] {
  const { spec, ...rest } = services[name];
  const port = 'port' in rest ? rest.port : 80;
  return [
    service({
      name,
      clusterIPs: [clusterIP(name)],
      loadBalancerIPs: [loadBalancerIP(name)],
      ports: [{ name: 'tcp', protocol: 'TCP', port, nodePort: nodePort(name) }],
      ...spec,
    }),
    endpointSlice({
      service: name,
      family: 'IPv4',
      ports: [{ name: 'tcp', protocol: 'TCP', port: podPort }],
      endpoints: endpoints.map((pod) => ({ address: pods[pod].IPv4, nodeName: pods[pod].node })),
    }),
  ];
}

let world: World;
let folder: ManifestFolder;
let agents: readonly Agent[] = [];

beforeAll(async () => {
  world = await makeTwoNodes();
  await serveEverywhere(world, 'node1', 'the-daemon', daemonPort);
  folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'faults-')));
  const nodes = nodeNames.map((name) => nodeObject(name, [nodeAddresses[name].IPv4, nodeAddresses[name].IPv6]));
  await folder.write('nodes.json', nodes);
  for (const name of Object.keys(services)) {
    if (isServiceName(name)) await folder.write(`${name}.json`, manifestsOf(name));
  }
  const flags = [`--cluster-cidr=${clusterRanges}`, '--ipvs-graceful-period=60s'];
  agents = nodeNames.map((name) => startAgent({ node: name, manifests: folder.path, flags }));
  await Promise.all(agents.map((agent) => agent.synced));
});

afterAll(async () => {
  await Promise.all(agents.map((agent) => agent.end('SIGKILL')));
  await world.remove();
});

function isServiceName(name: string): name is ServiceName {
  return name in services;
}

function ask(from: PlaceName, address: string, port: number, count: number): Promise<readonly RequestResult[]> {
  return askAs(world, { from, protocol: 'TCP', address, port, count, patienceMs: 700 });
}

/** Which pods answered, or why none did. */
async function answered(from: PlaceName, address: string, port: number, count = 4): Promise<readonly string[]> {
  const results = await ask(from, address, port, count);
  return [...new Set(results.map((result) => answerer(result)))].sort();
}

/** Which sources the pods saw: `client` for the asker itself, `node` for a node. */
async function seen(from: PlaceName, address: string, port: number, count = 4): Promise<readonly string[]> {
  const results = await ask(from, address, port, count);
  const words = results.map((result) => (isAnswer(result) ? whose(from, result.sourceSeen) : result));
  return [...new Set(words)].sort();
}

function whose(from: PlaceName, saw: string): string {
  if (nodeNames.some((name) => isAddressOf(name, saw))) return 'node';
  return from === 'client' && saw === clientAddress.IPv4 ? 'client' : saw;
}

async function curl(from: PlaceName, address: string, port: number): Promise<string> {
  return inside(from, 'curl', '-s', '-o', '/dev/null', '-m', '3', '-w', '%{http_code}', `http://${address}:${port}/`);
}

describe('traffic policies', () => {
  it('S1: eTP=Local without a local endpoint drops clients outside and answers probes with 503', async () => {
    expect(await answered('client', loadBalancerIP('elsewhere'), 80, 2)).toEqual(['timeout']);
    expect(await answered('client', node, nodePort('elsewhere'), 2)).toEqual(['timeout']);
    expect(await curl('client', node, 30_801)).toBe('503');
  });

  it('S2: eTP=Local shows clients inside every endpoint', async () => {
    expect(await answered('idle-near', loadBalancerIP('both'), 80)).toEqual(['far', 'near']);
    expect(await answered('node1', loadBalancerIP('both'), 80)).toEqual(['far', 'near']);
    expect(await answered('client', loadBalancerIP('both'), 80)).toEqual(['near']);
  });

  it('S3: iTP=Local without a local endpoint drops at the ClusterIP, and nowhere else', async () => {
    expect(await answered('idle-near', clusterIP('internal'), 80, 2)).toEqual(['timeout']);
    expect(await answered('node1', clusterIP('internal'), 80, 2)).toEqual(['timeout']);
    expect(await answered('client', node, nodePort('internal'), 2)).toEqual(['far']);
  });

  it('S4: a node’s own packet to a load-balancer IP with eTP=Local comes from the node, never from the VIP', async () => {
    expect(await seen('node1', loadBalancerIP('both'), 80)).toEqual(['node']);
  });

  it('#63241: a node’s own packet to a ClusterIP comes from the node, never from the VIP', async () => {
    expect(await seen('node1', clusterIP('plain'), 80)).toEqual(['node']);
  });
});

describe('addresses and ports', () => {
  it('S6: a daemon on 0.0.0.0 does not answer on a ClusterIP or a load-balancer IP', async () => {
    expect(await answered('client', loadBalancerIP('plain'), daemonPort, 1)).toEqual(['refused']);
    expect(await answered('idle-near', clusterIP('plain'), daemonPort, 1)).toEqual(['refused']);
  });

  it('S7, #114815: a load-balancer IP that is the node’s own address leaves the node’s daemons, node ports and probes alone', async () => {
    expect(await answered('client', node, 80, 1)).toEqual(['near']);
    expect(await answered('client', node, daemonPort, 1)).toEqual(['the-daemon']);
    expect(await answered('idle-near', node, daemonPort, 1)).toEqual(['the-daemon']);
    expect(await answered('client', node, nodePort('own'), 1)).toEqual(['near']);
    expect(await answered('client', node, nodePort('far'), 1)).toEqual(['far']);
    expect(await curl('client', node, 30_801)).toBe('503');
  });

  it('S7: a health check of eTP=Local answers at the load-balancer IP itself', async () => {
    expect(await curl('client', loadBalancerIP('elsewhere'), 30_801)).toBe('503');
  });

  it('S14: VIPs answer ping', async () => {
    for (const address of [clusterIP('plain'), loadBalancerIP('elsewhere')]) {
      expect(await inside('client', 'ping', '-c1', '-W2', address)).toContain('1 received');
    }
  });

  it('S15: a port of a VIP with the number of a node port is no node port: the client is seen as itself', async () => {
    const { port } = services.numbered;
    expect(port).toBe(nodePort('plain'));
    expect(await seen('client', loadBalancerIP('numbered'), port, 2)).toEqual(['client']);
    expect(await answered('client', loadBalancerIP('numbered'), port, 2)).toEqual(['near']);
    expect(await seen('client', node, nodePort('plain'), 2)).toEqual(['node']);
  });

  it('18.2: with arp_ignore=1 (strictARP) the node’s NIC does not answer for VIPs', async () => {
    const vip = loadBalancerIP('plain');
    const neighbour = async (): Promise<string> => {
      await inside('client', 'ip', 'neigh', 'flush', 'to', vip);
      await askAs(world, { from: 'client', protocol: 'UDP', address: vip, port: 9, patienceMs: 500 });
      return (await inside('client', 'ip', 'neigh', 'show', 'to', vip)).trim().split(' ').at(-1) ?? '';
    };
    const ignoreArp = async (value: number): Promise<void> => {
      for (const name of nodeNames) await inside(name, 'sysctl', '-qw', `net.ipv4.conf.all.arp_ignore=${value}`);
    };
    // As a host on the same network sees it that takes the VIP for a neighbour.
    await inside('client', 'ip', 'route', 'add', vip, 'dev', 'eth0');
    expect(await neighbour()).toBe('REACHABLE');
    await ignoreArp(1);
    expect(await neighbour()).toMatch(/^(INCOMPLETE|FAILED)$/);
    await ignoreArp(0);
    await inside('client', 'ip', 'route', 'del', vip);
    expect(await answered('client', vip, 80, 2)).toEqual(['far', 'near']);
  });
});

describe('a firewall of others with the policy drop', () => {
  /** `rules` stand in the chain before the policy. */
  async function firewall(hook: 'input' | 'forward', rules: readonly string[]): Promise<void> {
    const chain = `chain guard { type filter hook ${hook} priority 0; policy drop;\n${rules.join('\n')}\n}`;
    await execa('nsenter', ['--net=/run/netns/node1', 'nft', '-f', '-'], {
      input: `add table inet host\ndelete table inet host\ntable inet host {\n${chain}\n}\n`,
    });
  }

  afterAll(() => inside('node1', 'nft', 'delete', 'table', 'inet', 'host'));

  const essentials = ['iifname lo accept', 'icmp type echo-request accept', 'ct state established,related accept'];

  it('S16: input. IPVS comes after it, so that it must let Services in; then everything works', async () => {
    await firewall('input', essentials);
    // No table can take back what another one drops: the firewall has the last word.
    expect(await answered('client', node, nodePort('plain'), 1)).toEqual(['timeout']);
    await firewall('input', [...essentials, 'tcp dport 30000-32767 accept', 'ip daddr 10.96.0.0/16 accept']);
    expect(await answered('client', node, nodePort('plain'))).toEqual(['far', 'near']);
    expect(await answered('client', clusterIP('plain'), 80)).toEqual(['far', 'near']);
    expect(await answered('idle-near', clusterIP('plain'), 80)).toEqual(['far', 'near']);
    expect(await answered('client', node, daemonPort, 1)).toEqual(['timeout']);
  });

  it('S17: forward. Packets to endpoints do not pass it; answers are established and pass where that is let through', async () => {
    await firewall('forward', ['ct state established,related accept']);
    expect(await answered('client', node, nodePort('plain'))).toEqual(['far', 'near']);
    expect(await answered('client', loadBalancerIP('both'), 80)).toEqual(['near']);
    expect(await answered('client', clusterIP('plain'), 80)).toEqual(['far', 'near']);
  });
});

describe('connections', () => {
  it('#81775, #70747: a source port that is used again goes to another endpoint when its own drains, and at once', async () => {
    await folder.write('plain.json', manifestsOf('plain', ['far']));
    await vi.waitUntil(async () => (await answered('client', clusterIP('plain'), 80, 3)).join() === 'far', 5_000);
    const script = [
      'import socket, sys, time',
      'def ask(port):',
      '    opened = socket.socket()',
      '    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)',
      '    opened.settimeout(5)',
      '    opened.bind(("", port))',
      `    began = time.monotonic()`,
      `    opened.connect(("${clusterIP('plain')}", 80))`,
      '    took = time.monotonic() - began',
      '    opened.sendall(b"who are you?\\n")',
      '    print(opened.recv(64).decode().split()[0], int(took * 1000), flush=True)',
      // Closed with a reset, so that the port is free at once on this side; IPVS keeps the connection for a while.
      '    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))',
      '    opened.close()',
      'ask(45678)',
      'sys.stdin.readline()',
      'ask(45678)',
    ].join('\n');
    const client = execa('nsenter', ['--net=/run/netns/client', 'python3', '-c', script], { stdin: 'pipe' });
    const lines = createInterface({ input: client.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toMatch(/^far /);
    // A connection that lasts keeps the endpoint where it is, with weight 0.
    const target = { protocol: 'TCP', address: clusterIP('plain'), port: 80 } as const;
    const lasting = world.traffic.connect('client', target, { deadlineMs: 2_000 });
    expect(await lasting.next()).toMatchObject({ answeredBy: 'far' });
    await folder.write('plain.json', manifestsOf('plain', ['near']));
    await vi.waitUntil(async () => (await answered('client', clusterIP('plain'), 80, 3)).join() === 'near', 5_000);
    expect(await inside('node1', 'ipvsadm', '-Ln', '-t', `${clusterIP('plain')}:80`)).toMatch(
      new RegExp(`${pods.far.IPv4}:${podPort}\\s+Masq\\s+0\\s`),
    );
    client.stdin.write('\n');
    const second = String((await lines.next()).value);
    expect(second).toMatch(/^near /);
    expect(Number(second.split(' ')[1])).toBeLessThan(900);
    expect(await lasting.exchange()).toMatchObject({ answeredBy: 'far' });
    await lasting.stop();
    await client;
    await folder.write('plain.json', manifestsOf('plain'));
    await vi.waitUntil(async () => (await answered('client', clusterIP('plain'), 80)).length === 2, 5_000);
  });

  it('#100925: what the policy drops does not flood the kernel’s log', async () => {
    const lines = async (): Promise<number> => {
      const { stdout } = await execa('dmesg');
      return stdout.split('\n').filter((line) => line.includes('no destination available')).length;
    };
    const before = await lines();
    await answered('client', loadBalancerIP('elsewhere'), 80, 3);
    await answered('client', node, nodePort('elsewhere'), 3);
    await answered('idle-near', clusterIP('internal'), 80, 3);
    expect(await lines()).toBe(before);
  });
});
