import { describe, expect, it } from 'vitest';
import { type ActualStore, adoptReading, advance } from '../../src/core/actual.ts';
import { emptyAddresses } from '../../src/core/address-index.ts';
import { allKeys } from '../../src/core/all-keys.ts';
import { compileService } from '../../src/core/compile.ts';
import { type DesiredStore, emptyDesired, expectedOf, setContribution } from '../../src/core/desired.ts';
import { frontendKey } from '../../src/core/keys.ts';
import type { ServiceFact } from '../../src/core/model/facts.ts';
import type { FilterElement } from '../../src/core/model/filter-element.ts';
import { makePlan, phases } from '../../src/core/plan.ts';
import { rangesMeet } from '../../src/core/ranges.ts';
import { context } from '../support/context.ts';
import { endpoint, service, servicePort, slice } from '../support/facts.ts';

const VIP = '192.0.2.1';
const VIP6 = '2001:db8::1';
const CLUSTER_IPS = ['10.96.0.1', 'fd00:96::1'];

function want(fact: ServiceFact | undefined): DesiredStore {
  const desired = emptyDesired();
  if (fact !== undefined) {
    const slices = [
      slice([endpoint('10.1.1.1')]),
      slice([endpoint('fd00:1::1')], { key: 'default/web-6', family: 'IPv6' }),
    ];
    const input = {
      service: fact,
      slices,
      context: context(),
      addresses: emptyAddresses(),
      last: undefined,
      markOf: () => 4_096,
    };
    setContribution(desired, fact.key, compileService(input));
  }
  return desired;
}

function loadBalancer(...loadBalancerSourceRanges: readonly string[]): ServiceFact {
  return service({
    type: 'LoadBalancer',
    clusterIPs: CLUSTER_IPS,
    loadBalancerIPs: [VIP, VIP6],
    loadBalancerSourceRanges,
  });
}

/** The elements that restrict who may come: `restricted TCP 192.0.2.1:80`, `TCP 192.0.2.1:80 from 10.0.0.0/8`. */
function restrictions(fact: ServiceFact): readonly string[] {
  const keys = [...want(fact).resources.keys()].filter((key) => /^(restricted|allowed_sources) /.test(key));
  return keys.map((key) => key.replace('allowed_sources ', '')).sort();
}

describe('source ranges', () => {
  it('restrict load-balancer IPs, not the ClusterIP, external IPs or node ports (#62638)', () => {
    const ports = [servicePort({ nodePort: 30_080 }), servicePort({ protocol: 'UDP', name: 'dns', port: 53 })];
    const fact = { ...loadBalancer('10.0.0.0/8', '172.16.0.0/12'), ports, externalIPs: ['198.51.100.1'] };
    expect(restrictions(fact)).toEqual([
      'TCP 192.0.2.1:80 from 10.0.0.0/8',
      'TCP 192.0.2.1:80 from 172.16.0.0/12',
      'UDP 192.0.2.1:53 from 10.0.0.0/8',
      'UDP 192.0.2.1:53 from 172.16.0.0/12',
      'restricted TCP 192.0.2.1:80',
      'restricted UDP 192.0.2.1:53',
    ]);
  });

  it('restrict an address that is a load-balancer IP and an external IP too', () => {
    const fact = { ...loadBalancer('10.0.0.0/8'), externalIPs: [VIP] };
    expect(restrictions(fact)).toContain('restricted TCP 192.0.2.1:80');
  });

  it.each([
    ['there are none', []],
    ['one has prefix length 0', ['10.0.0.0/8', '0.0.0.0/0', 'fd00::/8', '::/0']],
  ])('let everybody come when %s', (_, ranges) => {
    expect(restrictions(loadBalancer(...ranges))).toEqual([]);
  });

  it('of one family leave the other alone', () => {
    expect(restrictions(loadBalancer('10.0.0.0/8')).filter((key) => key.includes(VIP6))).toEqual([]);
    expect(restrictions(loadBalancer('10.0.0.0/8', '::/0')).filter((key) => key.includes(VIP6))).toEqual([]);
    expect(restrictions(loadBalancer('fd00:9::/32'))).toEqual([
      'TCP [2001:db8::1]:80 from fd00:9::/32',
      'restricted TCP [2001:db8::1]:80',
    ]);
  });

  it('that hold the node let the VIP itself come, once', () => {
    expect(restrictions(loadBalancer('192.168.0.0/24'))).toContain('TCP 192.0.2.1:80 from 192.0.2.1/32');
    expect(restrictions(loadBalancer('192.0.0.0/8'))).toEqual([
      'TCP 192.0.2.1:80 from 192.0.0.0/8',
      'restricted TCP 192.0.2.1:80',
    ]);
    expect(restrictions(loadBalancer('192.168.9.0/24')).join()).not.toContain('from 192.0.2.1');
  });

  it('never meet each other', () => {
    expect(restrictions(loadBalancer('10.0.0.0/8', '10.1.0.0/16', '10.0.0.0/8'))).toEqual([
      'TCP 192.0.2.1:80 from 10.0.0.0/8',
      'restricted TCP 192.0.2.1:80',
    ]);
  });
});

const states: Readonly<Record<string, DesiredStore>> = {
  nothing: want(undefined),
  everybody: want(loadBalancer()),
  'a wide range': want(loadBalancer('10.0.0.0/8')),
  'a range inside it': want(loadBalancer('10.1.0.0/16')),
  'another range': want(loadBalancer('11.0.0.0/8')),
  'two ranges': want(loadBalancer('10.1.0.0/16', '11.0.0.0/8')),
};
const transitions = Object.keys(states).flatMap((from) => Object.keys(states).map((to) => [from, to] as const));
const clients = ['10.1.0.1/32', '10.2.0.1/32', '11.0.0.1/32', '12.0.0.1/32'];

describe('from one list of ranges to another', () => {
  it.each(transitions)('%s, then %s: nobody is let in or refused who is neither before nor after', (from, to) => {
    const [before, desired] = [states[from] ?? emptyDesired(), states[to] ?? emptyDesired()];
    const actual = adoptReading({ virtualServers: [], vips: [], elements: [] });
    carryOut(actual, before, () => {});
    const starts = new Map(clients.map((client) => [client, answers(actual, client)]));
    const seen: { readonly phase: string; readonly client: string; readonly answered: boolean }[] = [];
    carryOut(actual, desired, (phase) => {
      seen.push(...clients.map((client) => ({ phase, client, answered: answers(actual, client) })));
    });
    const ends = new Map(clients.map((client) => [client, answers(actual, client)]));
    const wrong = seen.filter(
      ({ client, answered }) => answered !== starts.get(client) && answered !== ends.get(client),
    );
    expect(wrong).toEqual([]);
  });
});

function carryOut(actual: ActualStore, desired: DesiredStore, after: (phase: string) => void): void {
  const rules = { nodeName: 'node-a', vipMode: 'address', excludedCIDRs: [], quarantined: new Set<string>() } as const;
  const made = makePlan({ desired, actual, keys: allKeys(desired, actual), rules });
  for (const phase of phases) {
    advance(actual, made[phase], expectedOf(desired));
    after(phase);
  }
}

/** Whether a new connection of the client to the load-balancer IP reaches an endpoint. */
function answers(actual: ActualStore, client: string): boolean {
  const key = frontendKey('TCP', VIP, 80);
  const serves = actual.vips.has(`vip ${VIP}`) && (actual.virtualServers.get(key)?.destinations.length ?? 0) > 0;
  const isAllowed = (element: FilterElement): boolean =>
    element.set === 'allowed_sources' && element.address === VIP && rangesMeet(element.range, client);
  return serves && (!actual.elements.has(`restricted ${key}`) || [...actual.elements.values()].some(isAllowed));
}
