import { beforeEach, describe, expect, it } from 'vitest';
import { findLeftovers } from '../../../src/app/migrate/find-leftovers.ts';
import type { LeftoverPorts } from '../../../src/app/migrate/leftover-ports.ts';
import { removeLeftovers } from '../../../src/app/migrate/remove-leftovers.ts';
import { fakeFilter } from '../../../src/kernel/fake/filter.ts';
import { fakeIpset } from '../../../src/kernel/fake/ipset.ts';
import { fakeIptables } from '../../../src/kernel/fake/iptables.ts';
import { fakeIpvs } from '../../../src/kernel/fake/ipvs.ts';
import { fakeOtherInterface } from '../../../src/kernel/fake/other-interface.ts';
import { fakeOtherTables } from '../../../src/kernel/fake/other-tables.ts';
import { destination, virtualServer } from '../../support/servers.ts';

const vipInterface = 'kube-dummy-if';
const set = 'KUBE-CLUSTER-IP';

let ports: ReturnType<typeof nodeAfterKubeProxy>;

beforeEach(async () => {
  ports = nodeAfterKubeProxy();
  for (const kind of ['nft', 'legacy'] as const) await ports.iptables.restore(kind, 'IPv4', rules);
});

describe('what kube-proxy left', () => {
  it('goes, in the order in which one thing holds the next, from both kinds of iptables', async () => {
    const { removed, failed } = await remove();
    expect(failed).toEqual([]);
    expect(removed).toEqual([
      ...[1, 2].flatMap(() => ['IPv4 nat rule -A PREROUTING -j KUBE-SERVICES', 'IPv4 nat chain KUBE-SERVICES']),
      'nftables table ip kube-proxy',
      'virtual server TCP 10.96.0.1:80',
      'interface kube-ipvs0',
      `ipset ${set}`,
    ]);
    expect(ports.ipset.names()).toEqual(['blocklist']);
    expect(await ports.tables.names()).toEqual(['inet other']);
    expect(await remove()).toEqual({ removed: [], kept: [], failed: [] });
  });

  it('but for a set that a rule of others still names, which is told', async () => {
    await ports.iptables.restore('nft', 'IPv4', `*filter\n-A INPUT -m set --match-set ${set} dst -j DROP\nCOMMIT\n`);
    const { failed } = await remove();
    expect(failed).toEqual([{ what: `ipset ${set}`, error: 'a rule or another set still names it' }]);
    expect(ports.ipset.names()).toContain(set);
  });

  it('goes as far as it can when rules were changed meanwhile', async () => {
    const leftovers = await findLeftovers(ports, 'kube-proxy', vipInterface);
    await ports.iptables.restore('nft', 'IPv4', '*nat\n-D PREROUTING -j KUBE-SERVICES\nCOMMIT\n');
    const { removed, failed } = await removeLeftovers(ports, leftovers);
    expect(failed.map(({ what }) => what)).toEqual([
      '2 parts of IPv4 nat rule -A PREROUTING -j KUBE-SERVICES',
      `ipset ${set}`,
    ]);
    expect(removed).toContain('interface kube-ipvs0');
    expect((await remove()).failed).toEqual([]);
    expect(ports.ipset.names()).toEqual(['blocklist']);
  });

  it('goes past a table that another hand has removed', async () => {
    const leftovers = await findLeftovers(ports, 'kube-proxy', vipInterface);
    await ports.tables.remove('ip kube-proxy');
    const { failed } = await removeLeftovers(ports, leftovers);
    expect(failed.map(({ what }) => what)).toEqual(['nftables table ip kube-proxy']);
    expect(ports.interfaces.addresses('kube-ipvs0')).toBeUndefined();
  });
});

it('of kube-router’s direct return, a virtual server with connections is kept, and told', async () => {
  const identity = { kind: 'fwmark', family: 'IPv4', mark: 0x1d1e } as const;
  const pod = { ...destination('10.1.0.2'), forwarding: 'tunnel' } as const;
  ports.ipvs.apply([
    { kind: 'add-virtual-server', server: virtualServer('TCP', { identity }) },
    { kind: 'add-destination', identity, destination: pod },
  ]);
  ports.ipvs.setConnections(identity, pod, { activeConnections: 2, inactiveConnections: 1 });
  const mark = '-A PREROUTING -d 198.51.100.7/32 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x1d1e/0xffffffff';
  await ports.iptables.restore('nft', 'IPv4', `*mangle\n${mark}\nCOMMIT\n`);
  const busy = await findLeftovers(ports, 'kube-router', vipInterface);
  expect(busy.virtualServers).toEqual([]);
  expect(busy.kept).toContainEqual({
    what: 'virtual server FWM 7454 IPv4',
    why: expect.stringContaining('3 connections'),
  });
  ports.ipvs.setConnections(identity, pod, { activeConnections: 0, inactiveConnections: 0 });
  const idle = await findLeftovers(ports, 'kube-router', vipInterface);
  expect(idle.virtualServers).toEqual([identity]);
});

const rules = [
  '*nat',
  ':KUBE-SERVICES - [0:0]',
  '-A PREROUTING -j KUBE-SERVICES',
  `-A KUBE-SERVICES -m set --match-set ${set} dst,dst -j ACCEPT`,
  'COMMIT',
  '',
].join('\n');

function nodeAfterKubeProxy() {
  const ipset = fakeIpset();
  const tables = fakeOtherTables();
  const interfaces = fakeOtherInterface();
  const ipvs = fakeIpvs();
  for (const name of [set, 'blocklist']) ipset.create(name);
  for (const name of ['ip kube-proxy', 'inet other']) tables.add(name);
  interfaces.addLink('kube-ipvs0', 'dummy', ['10.96.0.1']);
  ipvs.apply([{ kind: 'add-virtual-server', server: virtualServer() }]);
  return {
    ipset,
    iptables: fakeIptables(ipset),
    tables,
    interfaces,
    ipvs,
    filter: fakeFilter(),
  } satisfies LeftoverPorts;
}

async function remove(): ReturnType<typeof removeLeftovers> {
  return removeLeftovers(ports, await findLeftovers(ports, 'kube-proxy', vipInterface));
}
