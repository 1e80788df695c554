import { describe, expect, it } from 'vitest';
import { admitAddresses } from '../../src/core/admit-addresses.ts';
import { compileService } from '../../src/core/compile.ts';
import { applyChanges, emptyFacts, type Facts } from '../../src/core/facts.ts';
import type { AddressRules, CompileContext } from '../../src/core/model/context.ts';
import type { FactChange, ServiceFact } from '../../src/core/model/facts.ts';
import { addressRules, cidrs, context } from '../support/context.ts';
import { endpoint, node, service, servicePort, slice } from '../support/facts.ts';

/** A cluster of two nodes, ours and `node-b`; the API server runs on a third machine. */
const cluster: readonly FactChange[] = [
  { change: 'set', kind: 'Node', fact: node() },
  {
    change: 'set',
    kind: 'Node',
    fact: node({
      name: 'node-b',
      allAddresses: ['192.168.0.2', '198.51.100.2', 'fd00:100::2'],
      podCIDRs: ['10.9.1.0/24'],
    }),
  },
  apiServer('192.168.0.3'),
];

function apiServer(address: string): FactChange {
  const ports = [{ name: 'https', protocol: 'TCP', port: 6443 }] as const;
  const fact = slice([endpoint(address)], { key: 'default/kubernetes', service: 'default/kubernetes', ports });
  return { change: 'set', kind: 'EndpointSlice', fact };
}

function facts(...more: readonly FactChange[]): Facts {
  const store = emptyFacts('node-a');
  applyChanges(store, [...cluster, ...more]);
  return store;
}

/** With what is known of the cluster's ranges. */
function informed(rules: Partial<AddressRules> = {}, fields: Partial<CompileContext> = {}): CompileContext {
  return context({
    serviceCIDRs: cidrs('10.96.0.0/16', 'fd00:96::/112'),
    addressRules: addressRules({
      podCIDRs: cidrs('10.1.0.0/16'),
      apiServers: new Map([['192.168.0.4', new Set([443])]]),
      ...rules,
    }),
    ...fields,
  });
}

function judge(fields: Pick<ServiceFact, 'externalIPs' | 'loadBalancerIPs'>, where = informed()): readonly string[] {
  const { addresses, refusals } = admitAddresses({ service: fields, context: where, addresses: facts().addresses });
  return [...addresses, ...refusals.map(({ reason, found }) => `${reason} ${found}`)];
}

describe('an external IP', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['192.168.0.1', 'address-of-a-node 192.168.0.1'],
    ['fd00:100::1', 'address-of-a-node fd00:100::1'],
    ['192.168.0.2', 'address-of-a-node 192.168.0.2'],
    ['198.51.100.2', 'address-of-a-node 198.51.100.2'],
    ['fd00:100::2', 'address-of-a-node fd00:100::2'],
    ['192.168.0.3', 'address-of-the-api-server 192.168.0.3'],
    ['192.168.0.4', 'address-of-the-api-server 192.168.0.4'],
    ['10.96.7.7', 'address-in-service-range 10.96.7.7'],
    ['fd00:96::1', 'address-in-service-range fd00:96::1'],
    ['10.1.200.1', 'address-in-pod-range 10.1.200.1'],
    ['10.9.1.7', 'address-in-pod-range 10.9.1.7'],
    ['192.168.0.255', 'address-forbidden 192.168.0.255'],
  ])('%s gives %s', (address, expected) => {
    expect(judge({ externalIPs: [address], loadBalancerIPs: [] })).toEqual([expected]);
  });

  it('on an interface of this node, but of no Node, needs a range that names it', () => {
    const floating = { externalIPs: ['192.0.2.50'], loadBalancerIPs: [] };
    const nodeAddresses = new Set(['192.168.0.1', '192.0.2.50']);
    const unlisted = informed({ externalIPRanges: [] }, { nodeAddresses });
    expect(judge(floating, unlisted)).toEqual(['address-of-a-node 192.0.2.50']);
    const listed = informed({ externalIPRanges: cidrs('192.0.2.0/24') }, { nodeAddresses });
    expect(judge(floating, listed)).toEqual(['192.0.2.50']);
  });

  it('that is this node’s main address is refused whatever the ranges, also before the Node is known', () => {
    const { addresses, refusals } = admitAddresses({
      service: { externalIPs: ['192.168.0.1'], loadBalancerIPs: [] },
      context: context(),
      addresses: emptyFacts('node-a').addresses,
    });
    expect(addresses).toEqual([]);
    expect(refusals).toEqual([
      {
        reason: 'address-of-a-node',
        subject: 'spec.externalIPs',
        found: '192.168.0.1',
        expected: 'no address of a Node; an interface of node-a has it',
      },
    ]);
  });
});

describe('a load-balancer IP', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['192.168.0.1', '192.168.0.1'],
    ['fd00:100::1', 'fd00:100::1'],
    ['192.168.0.2', 'address-of-another-node 192.168.0.2'],
    ['192.168.0.3', 'address-of-the-api-server 192.168.0.3'],
    ['10.96.7.7', 'address-in-service-range 10.96.7.7'],
    ['10.9.1.7', 'address-in-pod-range 10.9.1.7'],
  ])('%s gives %s', (address, expected) => {
    expect(judge({ externalIPs: [], loadBalancerIPs: [address] })).toEqual([expected]);
  });

  it('stands where an external IP does not: the same address may be both', () => {
    const both = { externalIPs: ['192.168.0.1'], loadBalancerIPs: ['192.168.0.1'] };
    expect(judge(both)).toEqual(['192.168.0.1', 'address-of-a-node 192.168.0.1']);
  });

  it('that is this node’s own is served, not bound, and leaves the API server’s port alone (ServiceLB of K3s)', () => {
    const fact = service({
      loadBalancerIPs: ['192.168.0.1', '192.168.0.2'],
      ports: [servicePort({ name: 'web', port: 443 }), servicePort({ name: 'api', port: 6443 })],
    });
    const { frontends, refusals } = compileService({
      service: fact,
      slices: [],
      context: informed(),
      addresses: facts(apiServer('192.168.0.1')).addresses,
      last: undefined,
      markOf: () => 1,
    });
    const external = frontends.filter(({ key }) => !key.includes('10.96.0.1'));
    expect(external.map(({ key }) => key)).toEqual(['TCP 192.168.0.1:443']);
    expect(external.flatMap(({ resources }) => resources.map(({ key }) => key))).not.toContain('vip 192.168.0.1');
    expect(refusals.map(({ reason, found }) => `${reason} ${found}`)).toEqual([
      'address-of-another-node 192.168.0.2',
      'address-of-the-api-server 192.168.0.1 port 6443',
    ]);
  });
});

describe('allowed ranges', () => {
  const ranges = {
    externalIPRanges: cidrs('192.0.2.0/25', '2001:db8:1::/64'),
    loadBalancerIPRanges: cidrs('192.0.2.128/25'),
  };
  const swapped = { externalIPs: ['192.0.2.200', '2001:db8:2::1'], loadBalancerIPs: ['192.0.2.1'] };

  it('are of one kind of address each; outside is programmed and reported', () => {
    const right = { externalIPs: ['192.0.2.1', '2001:db8:1::1'], loadBalancerIPs: ['192.0.2.200'] };
    expect(judge(right, informed(ranges))).toEqual(['192.0.2.1', '2001:db8:1::1', '192.0.2.200']);
    expect(judge(swapped, informed(ranges))).toEqual([
      '192.0.2.200',
      '2001:db8:2::1',
      '192.0.2.1',
      'address-not-in-allowed-range-audited 192.0.2.200',
      'address-not-in-allowed-range-audited 2001:db8:2::1',
      'address-not-in-allowed-range-audited 192.0.2.1',
    ]);
  });

  it('refuse what is outside when strict', () => {
    expect(judge(swapped, informed({ ...ranges, isStrict: true }))).toEqual([
      'address-not-in-allowed-range 192.0.2.200',
      'address-not-in-allowed-range 2001:db8:2::1',
      'address-not-in-allowed-range 192.0.2.1',
    ]);
  });

  it('when there are none: external IPs are reported, and all is refused when strict', () => {
    const service4 = { externalIPs: ['192.0.2.1'], loadBalancerIPs: ['192.0.2.2'] };
    const none = { externalIPRanges: [], loadBalancerIPRanges: [] };
    expect(judge(service4, informed(none))).toEqual([
      '192.0.2.1',
      '192.0.2.2',
      'address-not-in-allowed-range-audited 192.0.2.1',
    ]);
    expect(judge(service4, informed({ ...none, isStrict: true }))).toEqual([
      'address-not-in-allowed-range 192.0.2.1',
      'address-not-in-allowed-range 192.0.2.2',
    ]);
  });

  it('allow nothing that is always forbidden', () => {
    const all = { externalIPRanges: cidrs('0.0.0.0/0'), loadBalancerIPRanges: cidrs('0.0.0.0/0') };
    expect(judge({ externalIPs: ['192.168.0.2', '10.96.0.9'], loadBalancerIPs: ['10.1.0.1'] }, informed(all))).toEqual([
      'address-of-a-node 192.168.0.2',
      'address-in-service-range 10.96.0.9',
      'address-in-pod-range 10.1.0.1',
    ]);
  });
});

describe('a ClusterIP', () => {
  const serve = (clusterIP: string): readonly string[] => {
    const { frontends, refusals } = compileService({
      service: service({ clusterIPs: [clusterIP] }),
      slices: [],
      context: informed(),
      addresses: facts().addresses,
      last: undefined,
      markOf: () => 1,
    });
    return [...frontends.map(({ key }) => key), ...refusals.map(({ reason, found }) => `${reason} ${found}`)];
  };

  it.each([
    ['10.96.0.1', ['TCP 10.96.0.1:80']],
    ['192.168.0.2', ['address-of-another-node 192.168.0.2']],
    ['192.168.0.1', ['TCP 192.168.0.1:80']],
  ])('%s gives %j: no Node is cut off where the ranges of Services and Nodes overlap', (clusterIP, expected) => {
    expect(serve(clusterIP)).toEqual(expected);
  });
});

describe('an address in an excluded range', () => {
  it('is no Service’s, whatever kind it is (S8 of kube-proxy: only deletion was exempt)', () => {
    const { frontends, refusals } = compileService({
      service: service({ clusterIPs: ['10.96.0.1'], externalIPs: ['192.0.2.1'], loadBalancerIPs: ['192.0.2.2'] }),
      slices: [],
      context: context({ addressRules: addressRules({ excludedCIDRs: cidrs('10.96.0.0/24', '192.0.2.0/31') }) }),
      addresses: facts().addresses,
      last: undefined,
      markOf: () => 1,
    });
    expect(frontends.map(({ key }) => key)).toEqual(['TCP 192.0.2.2:80']);
    expect(refusals.map(({ reason, found }) => `${reason} ${found}`)).toEqual([
      'address-excluded 192.0.2.1',
      'address-excluded 10.96.0.1',
    ]);
  });
});
