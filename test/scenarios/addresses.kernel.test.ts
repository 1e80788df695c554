/**
 * The addresses of the node and of others, as they come and go: node ports, VIPs that are a node's address
 * (kubernetes/kubernetes#127410, #114815, #65459), the source of traffic from the node.
 */

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestResult } from '../lab/traffic/result.ts';
import { clusterRanges, podPort } from '../lab/world/places.ts';
import type { World } from '../lab/world.ts';
import { type Agent, startAgent } from './agent.ts';
import { endpointSlice, type ManifestFolder, makeManifestFolder, nodeObject, service } from './manifests.ts';
import {
  ask as askAs,
  inside,
  isAddressOf,
  makeTwoNodes,
  nodeAddresses,
  type PlaceName,
  pods,
  secondAddress,
  serveEverywhere,
} from './two-nodes.ts';

let world: World;
let folder: ManifestFolder;
let agent: Agent;

const vip = '198.51.100.7';
const clusterIP = '10.96.0.1';
const clusterIPv6 = 'fd00:96::1';

beforeAll(async () => {
  world = await makeTwoNodes();
  // A server of the node itself, on every address.
  await serveEverywhere(world, 'node1', 'the-node', 9999);
  await serveEverywhere(world, 'node2', 'node2', 9999);
  await node1('-4 route del default', '-6 route del default');
  // One address of the interface may go without the others; and an IPv6 address is not usable at once.
  await inside('node1', 'sysctl', '-qw', 'net.ipv4.conf.eth0.promote_secondaries=1', 'net.ipv6.conf.eth0.accept_dad=1');
  folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'addresses-')));
  await folder.write('nodes.json', [nodeObject('node1', Object.values(nodeAddresses.node1))]);
  await folder.write('services.json', web());
  // Left by a proxy that is no more: not addresses of the node.
  await node1(
    'link add kube-ipvs0 type dummy',
    `addr add ${vip}/32 dev kube-ipvs0`,
    'addr add 10.96.0.99/32 dev kube-ipvs0',
  );
  agent = startAgent({ node: 'node1', manifests: folder.path, flags: [`--cluster-cidr=${clusterRanges}`] });
  await agent.synced;
}, 60_000);

afterAll(async () => {
  await agent.end('SIGTERM');
  await world.remove();
});

describe('a node port', () => {
  it('is on no address of another proxy’s interface', async () => {
    const servers = await inside('node1', 'ipvsadm', '-Sn');
    expect(servers).toContain(`-A -t ${nodeAddresses.node1.IPv4}:30080 `);
    expect(servers).not.toContain('10.96.0.99:30080');
    expect(servers).not.toContain(`${vip}:30080`);
    expect(servers).toContain(`-A -t ${vip}:80 `);
  });

  it('answers on a new address within a second, and leaves nothing of it behind', async () => {
    await node1('addr add 203.0.113.77/32 dev eth0');
    await expectWithin(1_000, () => ask('client', '203.0.113.77', 30_080), { answeredBy: 'near' });
    await node1('addr del 203.0.113.77/32 dev eth0');
    await gone(1_000, '203.0.113.77');
  });

  it('is there in IPv6 too, once the address is usable', async () => {
    await node1('addr add fd03::77/128 dev eth0');
    await expectWithin(4_000, () => ask('client', 'fd03::77', 30_080), { answeredBy: 'near' });
    await node1('addr del fd03::77/128 dev eth0');
    await gone(1_000, 'fd03::77');
  });

  it('goes with its interface, and answers again when it is back', async () => {
    await node1('link add late type dummy', 'addr add 192.0.2.99/32 dev late', 'link set late up');
    await expectWithin(1_000, () => ask('client', '192.0.2.99', 30_080), { answeredBy: 'near' });
    await node1('link set late down');
    await node1('link set late up');
    await expectWithin(1_000, () => ask('client', '192.0.2.99', 30_080), { answeredBy: 'near' });
    await node1('link del late');
    await gone(1_000, '192.0.2.99');
  });
});

describe('a VIP that the node has itself', () => {
  it('later: is let go, serves on, and leaves the node’s servers there alone', async () => {
    expect(await ask('client', vip, 80)).toMatchObject({ answeredBy: 'near' });
    expect(await ask('client', vip, 9999)).toEqual('refused');
    await node1(`addr add ${vip}/32 dev eth0`);
    await expectWithin(1_000, () => ask('client', vip, 9999), { answeredBy: 'the-node' });
    expect(await ask('client', vip, 80)).toMatchObject({ answeredBy: 'near' });
    expect(await addressesOn('kube-dummy-if')).not.toContain(`${vip}/`);
    await node1(`addr del ${vip}/32 dev eth0`);
    await expect.poll(() => ask('client', vip, 9999), { timeout: 1_000, interval: 20 }).toBe('refused');
    expect(await ask('client', vip, 80)).toMatchObject({ answeredBy: 'near' });
    expect(await addressesOn('kube-dummy-if')).toContain(`${vip}/`);
  });

  it('from the start: serves, and other ports stay with the node (load-balancer IP = node IP)', async () => {
    await folder.write('services.json', web({ loadBalancerIPs: [vip, secondAddress.IPv4] }));
    await expectWithin(1_000, () => ask('client', secondAddress.IPv4, 80), { answeredBy: 'near' });
    expect(await ask('client', secondAddress.IPv4, 9999)).toMatchObject({ answeredBy: 'the-node' });
    expect(await ask('client', secondAddress.IPv4, 30_080)).toMatchObject({ answeredBy: 'near' });
    await folder.write('services.json', web());
    await gone(1_000, `${secondAddress.IPv4}:80`);
  });
});

describe('a VIP that is another Node’s address', () => {
  const other = nodeAddresses.node2.IPv4;

  it.each(['externalIPs', 'loadBalancerIPs'] as const)(
    'among %s does not cut that Node off (#127410)',
    async (field) => {
      await folder.write('nodes.json', [
        nodeObject('node1', Object.values(nodeAddresses.node1)),
        nodeObject('node2', [other]),
      ]);
      await folder.write('services.json', web({ [field]: [vip, other] }));
      const reason = field === 'externalIPs' ? 'address-of-a-node' : 'address-of-another-node';
      await agent.line((line) => line['reason'] === reason && line['found'] === other);
      expect(await ask('client', other, 9999)).toMatchObject({ answeredBy: 'node2' });
      expect(await ask('node1', other, 9999)).toMatchObject({ answeredBy: 'node2' });
      expect(await ask('client', vip, 80)).toMatchObject({ answeredBy: 'near' });
    },
  );

  it('only now: the VIP is withdrawn at once', async () => {
    const late = '192.0.2.60';
    await folder.write('services.json', web({ loadBalancerIPs: [vip, late] }));
    await expectWithin(1_000, () => ask('client', late, 80), { answeredBy: 'near' });
    await inside('node2', 'ip', 'addr', 'add', `${late}/24`, 'dev', 'eth0');
    expect(await ask('client', late, 9999)).toEqual('refused');
    await folder.write('nodes.json', [
      nodeObject('node1', Object.values(nodeAddresses.node1)),
      nodeObject('node2', [other, late]),
    ]);
    await expectWithin(1_000, () => ask('client', late, 9999), { answeredBy: 'node2' });
    await gone(1_000, late);
    await folder.write('services.json', web());
    await inside('node2', 'ip', 'addr', 'del', `${late}/24`, 'dev', 'eth0');
  });
});

describe('the source of traffic from the node', () => {
  it('stands although its address was away for a moment', async () => {
    const { IPv4, IPv6 } = nodeAddresses.node1;
    // In one process: one burst of events, after which the addresses are as before.
    const commands = [`${IPv4}/24 dev eth0`, `${IPv6}/64 dev eth0 nodad`].flatMap((own) => [
      `addr del ${own}`,
      `addr add ${own}`,
    ]);
    await inside('node1', 'sh', '-c', `printf '${commands.join('\\n')}\\n' | ip -batch -`);
    await expectWithin(1_000, () => ask('node1', clusterIP, 80), { answeredBy: 'near', sourceSeen: IPv4 });
    await expectWithin(1_000, () => ask('node1', clusterIPv6, 80), { answeredBy: 'near', sourceSeen: IPv6 });
  });

  it('is the Node’s address, or without that one of its others, also without a default route', async () => {
    expect(await inside('node1', 'ip', 'route', 'show', 'default')).toBe('');
    expect(await ask('node1', clusterIP, 80)).toMatchObject({
      answeredBy: 'near',
      sourceSeen: nodeAddresses.node1.IPv4,
    });
    await folder.remove('nodes.json');
    await restart();
    expect(await ask('node1', clusterIP, 80)).toMatchObject({
      answeredBy: 'near',
      sourceSeen: expect.toSatisfy((source: string) => isAddressOf('node1', source)),
    });
  });
});

describe('an external IP inside a range of the cluster', () => {
  it('is never programmed, and the rest of the Service works', async () => {
    await restart('--service-cluster-ip-range=10.96.0.0/16,fd00:96::/112');
    const refused = { 'address-in-service-range': '10.96.7.7', 'address-in-pod-range': '10.1.2.77' };
    await folder.write('services.json', web({ externalIPs: [vip, ...Object.values(refused)] }));
    for (const [reason, found] of Object.entries(refused)) {
      await agent.line((line) => line['reason'] === reason && line['found'] === found);
    }
    await expectWithin(1_000, () => ask('client', vip, 80), { answeredBy: 'near' });
    await gone(1_000, '10.96.7.7');
    await gone(1_000, '10.1.2.77');
    await folder.write('services.json', web());
  });

  it('outside the allowed ranges is programmed and reported, or refused when strict', async () => {
    const allowed = '--service-external-ip-range=192.0.2.128/25';
    await folder.write('services.json', web({ externalIPs: [vip] }));
    await restart(allowed);
    const said = (msg: string) => agent.line((line) => line.msg === msg && line['found'] === vip);
    expect(await said('programmed, but reported')).toMatchObject({ reason: 'address-not-in-allowed-range-audited' });
    expect(await ask('client', vip, 80)).toMatchObject({ answeredBy: 'near' });
    await restart(allowed, '--strict-external-ip-validation');
    expect(await said('refused')).toMatchObject({ reason: 'address-not-in-allowed-range' });
    await gone(1_000, vip);
    await folder.write('services.json', web());
  });
});

describe('--nodeport-addresses', () => {
  it('in a CIDR: a new address inside is served, one outside is not', async () => {
    await restart('--nodeport-addresses=192.0.2.0/28');
    await node1('addr add 192.0.2.12/32 dev eth0', 'addr add 192.0.2.88/32 dev eth0');
    await expectWithin(1_000, () => ask('client', '192.0.2.12', 30_080), { answeredBy: 'near' });
    expect(await nodePortAddresses()).toEqual([nodeAddresses.node1.IPv4, secondAddress.IPv4, '192.0.2.12']);
  });

  it('primary: the Node’s own address alone, and what was served elsewhere goes', async () => {
    await folder.write('nodes.json', [nodeObject('node1', [nodeAddresses.node1.IPv4])]);
    await restart('--nodeport-addresses=primary');
    expect(await nodePortAddresses()).toEqual([nodeAddresses.node1.IPv4]);
  });
});

async function restart(...flags: readonly string[]): Promise<void> {
  await agent.end('SIGTERM');
  agent = startAgent({ node: 'node1', manifests: folder.path, flags: [`--cluster-cidr=${clusterRanges}`, ...flags] });
  await agent.synced;
}

/** Of IPv4. */
async function nodePortAddresses(): Promise<readonly string[]> {
  const servers = await inside('node1', 'ipvsadm', '-Sn');
  return [...servers.matchAll(/^-A -t ([\d.]+):30080 /gm)].map(([, address]) => address ?? '').sort();
}

function web(
  fields: { readonly loadBalancerIPs?: readonly string[]; readonly externalIPs?: readonly string[] } = {},
): readonly object[] {
  const ports = [{ name: 'web', protocol: 'TCP', port: podPort }] as const;
  const endpoint = (address: string): { readonly address: string; readonly nodeName: string } => ({
    address,
    nodeName: 'node1',
  });
  return [
    service({
      name: 'web',
      clusterIPs: [clusterIP, clusterIPv6],
      loadBalancerIPs: fields.externalIPs === undefined ? [vip] : [],
      ports: [{ name: 'web', protocol: 'TCP', port: 80, nodePort: 30_080 }],
      ...fields,
    }),
    endpointSlice({ service: 'web', family: 'IPv4', ports, endpoints: [endpoint(pods.near.IPv4)] }),
    endpointSlice({ service: 'web', family: 'IPv6', ports, endpoints: [endpoint(pods.near.IPv6)] }),
  ];
}

async function ask(from: PlaceName, address: string, port: number): Promise<RequestResult | undefined> {
  const [result] = await askAs(world, { from, protocol: 'TCP', address, port, patienceMs: 300 });
  return result;
}

/** Until it holds, and no longer than so many milliseconds. */
async function expectWithin(ms: number, look: () => Promise<unknown>, expected: object): Promise<void> {
  await expect.poll(look, { timeout: ms, interval: 20 }).toMatchObject(expected);
}

/** Neither a virtual server nor an element nor an address of sluice's mentions it any more. */
async function gone(ms: number, text: string): Promise<void> {
  await expect
    .poll(
      async () => {
        const lists = await Promise.all([
          inside('node1', 'ipvsadm', '-Sn'),
          inside('node1', 'nft', 'list', 'table', 'inet', 'sluice'),
          addressesOn('kube-dummy-if'),
        ]);
        return lists.join('\n').includes(text);
      },
      { timeout: ms, interval: 20 },
    )
    .toBe(false);
}

function addressesOn(device: string): Promise<string> {
  return inside('node1', 'ip', '-brief', 'address', 'show', 'dev', device);
}

async function node1(...commands: readonly string[]): Promise<void> {
  for (const command of commands) {
    await inside('node1', 'ip', ...command.split(' '));
  }
}
