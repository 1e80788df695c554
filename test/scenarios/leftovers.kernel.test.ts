/** What other proxies leave on a node, made by the programs that they use, and what `--cleanup-of` takes of it. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { output } from '../lab/execute.ts';
import { type Listing, listing } from '../lab/state/listing.ts';
import { createWorld, type World } from '../lab/world.ts';
import { runSluice } from './agent.ts';

const input = { node: 'node1', manifests: '/nonexistent' };

let world: World;
let before: Listing;

beforeAll(async () => {
  world = await createWorld({ nodes: [{ name: 'node1' }] });
  for (const line of foreign) await inNode(line);
  before = await listing(world.node('node1'));
});

afterAll(async () => {
  await world.remove();
});

it('takes everything of kube-proxy and kube-router, and nothing of others', async () => {
  await inNode('ipset restore', ipsets);
  await inNode('iptables-nft-restore --noflush', rules);
  await inNode('ip6tables-nft-restore --noflush', ruleOfIPv6);
  for (const line of left) await inNode(line);
  const { status, stdout } = await runSluice(input, 'cleanup', '--cleanup-of=kube-proxy,kube-router', '-o', 'json');
  const report: unknown = JSON.parse(stdout);
  expect(report).toMatchObject({ failed: [] });
  expect(status).toBe(0);
  expect(report).toMatchObject({
    removed: expect.arrayContaining([
      'IPv4 nat chain KUBE-SERVICES',
      'IPv6 filter chain KUBE-FORWARD',
      'nftables table ip kube-proxy',
      'virtual server TCP 10.96.0.1:443',
      'virtual server FWM 7454 IPv4',
      expect.stringMatching(/^IPv4 mangle rule -A PREROUTING -s 198\.51\.100\.7\/32 .* -j TCPMSS/),
      'interface kube-ipvs0',
      'interface kube-dummy-if',
      'rule IPv4 priority 32765 lookup 79',
      'route IPv4 local default table 78',
      'ipset KUBE-CLUSTER-IP',
      'ipset kube-router-svip',
    ]),
    kept: expect.arrayContaining([
      expect.objectContaining({ what: 'virtual server TCP 192.0.2.10:30080' }),
      expect.objectContaining({ what: 'nat chain KUBE-MARK-MASQ' }),
    ]),
  });
  const sets = (await inNode('ipset list -n')).trim().split('\n');
  expect(sets).toEqual(['blocklist']);
  expect(await inNode('iptables-nft-save -t nat')).toContain('KUBE-MARK-MASQ');
  await inNode('iptables -t nat -F OTHERS');
  expect((await runSluice(input, 'cleanup', '--cleanup-of=kube-proxy')).stdout).toContain('KUBE-MARK-MASQ');
  await inNode('iptables -t nat -A OTHERS -j RETURN');
  expect(withoutIPv6Tables(await listing(world.node('node1')))).toEqual(before);
});

it('finds nothing the second time', async () => {
  const { status, stdout } = await runSluice(input, 'cleanup', '--cleanup-of=kube-proxy,kube-router', '-o', 'json');
  expect({ status, report: JSON.parse(stdout) as unknown }).toMatchObject({
    status: 0,
    report: { removed: [], failed: [] },
  });
});

/** What others have on the node. */
const foreign = [
  'iptables -N KUBE-FIREWALL',
  'iptables -A INPUT -j KUBE-FIREWALL',
  'iptables -N KUBE-POD-FW-ABCDEFGHIJ234567',
  'iptables -t nat -N OTHERS',
  'iptables -t nat -A OTHERS -j RETURN',
  'iptables -t nat -A PREROUTING -s 10.9.9.9 -j OTHERS',
  'iptables -t nat -A OUTPUT -s 10.9.9.9 -j OTHERS',
  'iptables -t nat -A POSTROUTING -s 10.0.0.0/8 -o eth0 -j MASQUERADE',
  'iptables -t mangle -A PREROUTING -d 198.51.100.7/32 -p tcp --dport 80 -j MARK --set-mark 7',
  'iptables -t mangle -A PREROUTING -s 198.51.100.7/32 -i eth0 -p tcp --sport 80 --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1400',
  'ipset create blocklist hash:ip',
  'ipvsadm -A -t 192.0.2.10:30080 -s rr',
  'ipvsadm -A -f 9 -s rr',
  'ip rule add priority 32000 fwmark 9 lookup 79',
];

const ipsets = `create KUBE-CLUSTER-IP hash:ip,port
create KUBE-6-LOAD-BALANCER-SOURCE-CID hash:ip,port,net family inet6
create KUBE-IPVS-IPS hash:ip
create kube-router-svip hash:ip
add KUBE-CLUSTER-IP 10.96.0.1,tcp:443
`;

/** As kube-proxy 1.36 in ipvs mode and kube-router 2.10 write them. */
const rules = `*nat
:KUBE-SERVICES - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
:KUBE-ROUTER-HAIRPIN - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A POSTROUTING -m ipvs --vdir ORIGINAL -j KUBE-ROUTER-HAIRPIN
-A POSTROUTING -m ipvs --ipvs --vdir ORIGINAL --vmethod MASQ -m comment --comment "" -j SNAT --to-source 192.0.2.10
-A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP src,dst -j KUBE-MARK-MASQ
-A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MASQUERADE
-A OTHERS -j KUBE-MARK-MASQ
COMMIT
*filter
:KUBE-IPVS-FILTER - [0:0]
:KUBE-ROUTER-SERVICES - [0:0]
-A INPUT -m set --match-set kube-router-svip dst -j KUBE-ROUTER-SERVICES
-A INPUT -m comment --comment "kubernetes ipvs access filter" -j KUBE-IPVS-FILTER
-A KUBE-IPVS-FILTER -m conntrack --ctstate NEW -m set --match-set KUBE-IPVS-IPS dst -j REJECT
COMMIT
*mangle
-A PREROUTING -d 198.51.100.7/32 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x1d1e/0xffffffff
-A PREROUTING -s 198.51.100.7/32 -i kube-bridge -p tcp -m tcp --sport 80 --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1440
COMMIT
`;

const ruleOfIPv6 = `*filter
:KUBE-FORWARD - [0:0]
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
COMMIT
`;

const left = [
  'nft add table ip kube-proxy',
  'nft add table ip6 kube-proxy',
  'ip link add kube-ipvs0 type dummy',
  'ip address add 10.96.0.1/32 dev kube-ipvs0',
  'ip link add kube-dummy-if type dummy',
  'ip address add 10.96.0.2/32 dev kube-dummy-if',
  'ipvsadm -A -t 10.96.0.1:443 -s rr',
  'ipvsadm -A -t 10.96.0.2:53 -s rr',
  'ipvsadm -A -f 7454 -s rr',
  'ipvsadm -a -f 7454 -r 10.1.0.2 -i',
  'ip rule add priority 32765 lookup 79',
  'ip rule add priority 32764 fwmark 7454 lookup 78',
  'ip route add local default dev lo table 78',
];

function inNode(line: string, text?: string): Promise<string> {
  return output('node1', line.split(' '), text);
}

/** ip6tables makes its table when it is first asked, and leaves it. */
function withoutIPv6Tables(state: Listing): Listing {
  return { ...state, nftables: state.nftables.filter((line) => !line.includes('"family":"ip6"')) };
}
