import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatEndpoint } from '../../../src/core/address.ts';
import type { FilterElement } from '../../../src/core/model/filter-element.ts';
import { openLink } from '../../../src/kernel/link/open-link.ts';
import { openFilter } from '../../../src/kernel/nft/open-filter.ts';
import type { FilterPort, LinkPort } from '../../../src/kernel/ports.ts';
import { addresses, makeNodeWorld, type NodeWorld } from './node-world.ts';

let world: NodeWorld;
let filter: FilterPort;
let link: LinkPort;

beforeAll(async () => {
  world = await makeNodeWorld(`datapath-${process.pid}`);
  const networkNamespace = world.namespace('node');
  filter = openFilter({ networkNamespace });
  link = openLink({ interfaceName: 'kube-dummy-if', mode: 'address', steeringMark: 0xff, networkNamespace });
  link.ensureInterface();
  await filter.ensureTable({ podInterface: undefined, masqueradeMark: 0x4000, fwmarkMask: 0x3fff });
  for (const family of ['IPv4', 'IPv6'] as const) program(family);
}, 120_000);

afterAll(() => {
  filter.close();
  link.close();
  world.close();
});

/** The VIPs of the tests: what each is for is in the tests. */
const vips = {
  IPv4: {
    cluster: '10.96.0.1',
    self: '10.96.0.2',
    local: '198.51.100.7',
    dropped: '10.96.0.3',
    empty: '198.51.100.8',
    restricted: '198.51.100.9',
  },
  IPv6: {
    cluster: 'fd00:96::1',
    self: 'fd00:96::2',
    local: 'fd00:51::7',
    dropped: 'fd00:96::3',
    empty: 'fd00:51::8',
    restricted: 'fd00:51::9',
  },
} as const;

function program(family: 'IPv4' | 'IPv6'): void {
  const { client, node, pod1, pod2, remote, second, podCIDR, bits } = addresses[family];
  const vip = vips[family];
  const marks = { local: bits + 1000, nodePort: bits + 2000 };
  serveAt(vip.cluster, 80, pod2);
  serveAt(vip.self, 80, pod1);
  serveAt(vip.local, 80, pod1);
  serveAt(vip.dropped, 80, pod1);
  for (const port of [80, 81, 82, 83, 84]) serveAt(vip.restricted, port, pod1);
  serveAt(second, 30080, remote);
  serveAt(second, 30081, pod1);
  world.run('node', `ipvsadm -A -t ${formatEndpoint(vip.empty, 80)} -s rr`);
  for (const mark of Object.values(marks)) {
    const six = family === 'IPv6' ? ' -6' : '';
    world.run('node', `ipvsadm -A -f ${mark}${six} -s rr`);
    world.run('node', `ipvsadm -a -f ${mark}${six} -r ${formatEndpoint(remote, 8080)} -m`);
  }
  const at = (address: string, port = 80) => ({ address, protocol: 'TCP', port }) as const;
  const elements: FilterElement[] = [
    ...Object.values(vip).map((address): FilterElement => ({ set: 'vips', address })),
    { set: 'pod_sources', range: podCIDR },
    { set: 'service_ranges', range: family === 'IPv4' ? '10.96.0.0/12' : 'fd00:96::/108' },
    { set: 'masquerade_outside', ...at(vip.cluster) },
    { set: 'hairpin', address: pod1 },
    { set: 'drop', ...at(vip.dropped) },
    { set: 'inside_view', ...at(vip.local), mark: marks.local },
    { set: 'inside_view', ...at(vip.empty), mark: marks.local },
    { set: 'drop_outside', ...at(vip.empty) },
    ...[80, 81, 82, 83].map((port): FilterElement => ({ set: 'restricted', ...at(vip.restricted, port) })),
    ...[client, pod2, node, vip.restricted].map((source, index): FilterElement => {
      return { set: 'allowed_sources', ...at(vip.restricted, 80 + index), range: `${source}/${bits}` };
    }),
    { set: 'masquerade', ...at(second, 30080) },
    { set: 'inside_view', ...at(second, 30081), mark: marks.nodePort },
    ...Object.values(marks).map((mark): FilterElement => ({ set: 'fwmarks', family, mark })),
  ];
  expect(filter.apply(elements.map((element) => ({ kind: 'add-element', element })))).toMatchObject({ failures: [] });
  const adds = Object.values(vip).map((address) => ({ kind: 'add-vip', vip: { address, source: node } }) as const);
  expect(link.apply(adds)).toMatchObject({ failures: [] });
}

function serveAt(address: string, port: number, pod: string): void {
  world.run('node', `ipvsadm -A -t ${formatEndpoint(address, port)} -s rr`);
  world.run('node', `ipvsadm -a -t ${formatEndpoint(address, port)} -r ${formatEndpoint(pod, 8080)} -m`);
}

describe.each(['IPv4', 'IPv6'] as const)('packets through the table, %s', (family) => {
  const { client, node, pod1, pod2, second } = addresses[family];
  const vip = vips[family];
  const get = (place: 'client' | 'node' | 'pod1' | 'pod2', address: string, port = 80): string =>
    world.get(place, formatEndpoint(address, port));

  it('masquerades clients that are no pods, not pods; the node is its own source', () => {
    expect(get('client', vip.cluster)).toBe(`pod2 ${node}`);
    expect(get('pod1', vip.cluster)).toBe(`pod2 ${pod1}`);
    expect(get('node', vip.cluster)).toBe(`pod2 ${node}`);
  });

  it('masquerades a pod that reaches itself', () => {
    expect(get('pod1', vip.self)).toBe(`pod1 ${node}`);
    expect(get('pod2', vip.self)).toBe(`pod1 ${pod2}`);
  });

  it('refuses a port of a VIP that no Service has, though a process of the node listens there', () => {
    expect(get('node', node, 9090)).toBe(`node ${node}`);
    for (const place of ['client', 'pod1', 'node'] as const) expect(get(place, vip.cluster, 9090)).toBe('refused');
  });

  it('lets a VIP answer to ping', () => {
    for (const place of ['client', 'pod1', 'node'] as const) world.run(place, `ping -c1 -W2 ${vip.cluster}`);
    expect(world.get('client', formatEndpoint(vip.cluster, 80))).toContain('pod2');
  });

  it('drops new connections of everybody', () => {
    for (const place of ['client', 'pod2', 'node'] as const) expect(get(place, vip.dropped)).toBe('no answer');
  });

  it('drops new connections of whoever is not among the allowed sources of a frontend (#88698, #119656)', () => {
    const sources = ['client', 'pod2', 'node'] as const;
    const seen = [80, 81, 82, 84].map((port) => sources.map((place) => get(place, vip.restricted, port).split(' ')[0]));
    expect(seen).toEqual([
      ['pod1', 'no', 'no'],
      ['no', 'pod1', 'no'],
      ['no', 'no', 'pod1'],
      // Not restricted.
      ['pod1', 'pod1', 'pod1'],
    ]);
  });

  it('lets the VIP itself come, from the node, where it is an allowed source', () => {
    const curl = (...words: string[]): string =>
      world.run('node', `curl -sg -m 2 ${words.join(' ')} http://${formatEndpoint(vip.restricted, 83)}/`);
    expect(curl('--interface', vip.restricted)).toBe(`pod1 ${vip.restricted}`);
    expect(get('node', vip.restricted, 83)).toBe('no answer');
  });

  it('shows clients outside the endpoints of this node, those inside the endpoints of the cluster', () => {
    expect(get('client', vip.local)).toBe(`pod1 ${client}`);
    expect(get('pod2', vip.local)).toBe(`remote ${pod2}`);
    expect(get('node', vip.local)).toBe(`remote ${node}`);
  });

  it('drops new connections from outside alone', () => {
    expect(get('client', vip.empty)).toBe('no answer');
    expect(get('pod2', vip.empty)).toBe(`remote ${pod2}`);
    expect(get('node', vip.empty)).toBe(`remote ${node}`);
  });

  it('masquerades the node on a node port whose address pods cannot answer to', () => {
    expect(get('client', second, 30080)).toBe(`remote ${node}`);
    expect(get('pod1', second, 30080)).toBe(`remote ${node}`);
    expect(get('node', second, 30080)).toBe(`remote ${node}`);
    expect(get('node', second, 30081)).toBe(`remote ${node}`);
    expect(get('client', second, 30081)).toBe(`pod1 ${client}`);
  });

  it('sets and takes off its marks whatever marks others set before', () => {
    const foreign = 'meta mark set meta mark | 0x40000; };';
    const before = `chain in { type filter hook prerouting priority mangle; ${foreign}`;
    const after = 'chain seen { type filter hook postrouting priority 200; meta mark & 0xffff != 0 counter; };';
    world.run('node', `nft table inet foreign { ${before} ${after} }`);
    expect(get('client', vip.cluster)).toBe(`pod2 ${node}`);
    expect(get('pod2', vip.local)).toBe(`remote ${pod2}`);
    expect(get('node', vip.local)).toBe(`remote ${node}`);
    expect(get('client', vip.local)).toBe(`pod1 ${client}`);
    expect(world.run('node', 'nft list chain inet foreign seen')).toContain('counter packets 0 bytes 0');
    world.run('node', `nft table inet foreign { chain out { type filter hook output priority mangle; ${foreign} }`);
    expect(get('client', vip.cluster)).toBe(`pod2 ${node}`);
    expect(get('pod2', vip.local)).toBe(`remote ${pod2}`);
    expect(get('node', vip.local)).toBe(`remote ${node}`);
    world.run('node', 'nft delete table inet foreign');
  });
});
