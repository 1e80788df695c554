/**
 * How long the kernel keeps session affinity beyond its timeout. A persistence template whose timer runs out while one of
 * its connections still has an entry is kept for 60 s more, again and again, and 60 s are its timeout from then on
 * (ip_vs_conn_expire in net/netfilter/ipvs/ip_vs_conn.c). The figures are those of docs/semantics.md.
 */

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podPort } from '../lab/world/places.ts';
import { createWorld, type World } from '../lab/world.ts';
import { type Agent, startAgent } from './agent.ts';
import { endpointSlice, makeManifestFolder, nodeObject, type Protocol, service } from './manifests.ts';

/** Of the kernel's entry of a UDP flow, from its last datagram; 300 s unless told. */
const udpSeconds = 20;

const services = [
  { name: 'closed', protocol: 'TCP', address: '10.96.0.1', timeoutSeconds: 5 },
  { name: 'datagram', protocol: 'UDP', address: '10.96.0.2', timeoutSeconds: 5 },
  { name: 'held', protocol: 'TCP', address: '10.96.0.3', timeoutSeconds: 65 },
] as const satisfies readonly { name: string; protocol: Protocol; address: string; timeoutSeconds: number }[];

type Name = (typeof services)[number]['name'];

let world: World;
let agent: Agent;

beforeAll(async () => {
  world = await createWorld({ families: ['IPv4'], nodes: [{ name: 'node1', pods: ['blue'] }], clients: ['client'] });
  const folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'lifetime-')));
  await folder.write('node.json', [nodeObject('node1', world.node('node1').addresses.IPv4)]);
  for (const { name, protocol, address, timeoutSeconds } of services) {
    const port = { name: '', protocol } as const;
    const [pod = ''] = world.pod('blue').addresses.IPv4;
    await folder.write(`${name}.json`, [
      service({ name, clusterIPs: [address], ports: [{ ...port, port: 80 }], affinityTimeoutSeconds: timeoutSeconds }),
      endpointSlice({
        service: name,
        family: 'IPv4',
        ports: [{ ...port, port: podPort }],
        endpoints: [{ address: pod, nodeName: 'node1' }],
      }),
    ]);
  }
  agent = startAgent({ node: 'node1', manifests: folder.path });
  await agent.synced;
  await world.run(world.node('node1'), ['ipvsadm', '--set', '0', '0', `${udpSeconds}`]);
});

afterAll(async () => {
  await agent.end('SIGKILL');
  await world.remove();
});

describe('a persistence template', () => {
  it('outlives its timeout by what its last connection takes to be forgotten, and up to 60 s more (S5)', {
    timeout: 240_000,
  }, async () => {
    const begin = performance.now();
    const held = world.traffic.connect('client', targetOf('held'));
    await held.next();
    await world.traffic.request('client', targetOf('closed'));
    await world.traffic.request('client', targetOf('datagram'));
    const lifetimes = new Map<Name, number>();
    let renewed = 0;
    while (lifetimes.size < 2) {
      await sleep(1_000);
      const seconds = (performance.now() - begin) / 1_000;
      const left = await templates();
      for (const name of ['closed', 'datagram'] as const) {
        if (!left.has(name) && !lifetimes.has(name)) lifetimes.set(name, seconds);
      }
      if (seconds > 70 && renewed === 0) {
        await world.traffic.request('client', targetOf('held'));
        renewed = (await templates()).get('held') ?? -1;
      }
    }
    process.stdout.write(`lifetimes ${JSON.stringify([...lifetimes])} s, renewed for ${renewed} s\n`);
    // 5 s, then every 60 s a look: a closed TCP connection is kept in TIME_WAIT for 120 s.
    expect(lifetimes.get('closed')).toBeGreaterThan(120);
    expect(lifetimes.get('closed')).toBeLessThan(180);
    expect(lifetimes.get('datagram')).toBeGreaterThan(60);
    expect(lifetimes.get('datagram')).toBeLessThan(120);
    // A connection that was open when the timeout of 65 s ended: from then on 60 s count.
    expect(renewed).toBeGreaterThan(50);
    expect(renewed).toBeLessThanOrEqual(60);
  });
});

function targetOf(name: Name): { readonly protocol: Protocol; readonly address: string; readonly port: number } {
  const found = services.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no Service ${name}`);
  return { protocol: found.protocol, address: found.address, port: 80 };
}

/** Seconds that the templates have left, by Service: entries of a client without a port. */
async function templates(): Promise<ReadonlyMap<string, number>> {
  const text = await world.run(world.node('node1'), ['ipvsadm', '-Lnc']);
  const left = new Map<string, number>();
  for (const line of text.split('\n')) {
    // `TCP 00:05  NONE        203.0.113.2:0      10.96.0.1:80       10.1.0.2:8080`
    const [, expire = '', , client = '', vip = ''] = line.trim().split(/\s+/);
    const name = services.find(({ address }) => vip === `${address}:80`)?.name;
    const [minutes = 0, seconds = 0] = expire.split(':').map(Number);
    if (client.endsWith(':0') && name !== undefined) left.set(name, minutes * 60 + seconds);
  }
  return left;
}
