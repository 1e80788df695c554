import { describe, expect, it } from 'vitest';
import { type ActualStore, adoptReading, advance, ownershipKey } from '../../src/core/actual.ts';
import { parseCIDR } from '../../src/core/address.ts';
import { emptyAddresses } from '../../src/core/address-index.ts';
import { allKeys } from '../../src/core/all-keys.ts';
import { compileService } from '../../src/core/compile.ts';
import { type Desired, type DesiredStore, emptyDesired, expectedOf, setContribution } from '../../src/core/desired.ts';
import { frontendKey, quarantineKey } from '../../src/core/keys.ts';
import type { EndpointFact, ServiceFact } from '../../src/core/model/facts.ts';
import { isViewElement } from '../../src/core/model/filter-element.ts';
import type { Operation, Plan } from '../../src/core/model/operation.ts';
import type { VipMode } from '../../src/core/model/vip.ts';
import { countOperations, makePlan, type PlanRules, phases } from '../../src/core/plan.ts';
import { renderActual, renderDesired } from '../../src/core/render.ts';
import { context } from '../support/context.ts';
import { endpoint, localEndpoint, service, servicePort, slice } from '../support/facts.ts';
import { lineOf } from '../support/scripted-ports.ts';
import { destination, virtualServer } from '../support/servers.ts';

const KEY = 'TCP 10.96.0.1:80';
const EXTERNAL = 'TCP 192.0.2.1:80';
const rules: PlanRules = { nodeName: 'node-a', vipMode: 'address', excludedCIDRs: [], quarantined: new Set() };
const nothing = (): ActualStore => adoptReading({ virtualServers: [], vips: [], elements: [] });

function want(fact: ServiceFact | undefined, ...endpoints: readonly EndpointFact[]): DesiredStore {
  const desired = emptyDesired();
  if (fact !== undefined) {
    const protocol = fact.ports[0]?.protocol ?? 'TCP';
    const slices = [slice(endpoints, { ports: [{ name: '', protocol, port: 8080 }] })];
    const contribution = compileService({
      service: fact,
      slices,
      context: context(),
      addresses: emptyAddresses(),
      last: undefined,
      markOf: () => 4_096,
    });
    setContribution(desired, fact.key, contribution);
  }
  return desired;
}

function plan(desired: DesiredStore, actual: ActualStore, changed: Partial<PlanRules> = {}): Plan {
  return makePlan({ desired, actual, keys: allKeys(desired, actual), rules: { ...rules, ...changed } });
}

function carryOut(actual: ActualStore, made: Plan, desired: Desired): void {
  const operations = phases.flatMap((phase): readonly Operation[] => made[phase]);
  advance(actual, operations, expectedOf(desired));
}

/** The kernel after these wishes were carried out. */
function after(desired: DesiredStore): ActualStore {
  const actual = nothing();
  carryOut(actual, plan(desired, actual), desired);
  return actual;
}

/** `phase: operation`, phases without operations left out. */
function show(made: Plan): readonly string[] {
  return phases.flatMap((phase) => made[phase].map((operation) => `${phase}: ${lineOf(operation)}`));
}

const one = endpoint('10.1.1.1');
const two = endpoint('10.1.1.2');
const local = localEndpoint('10.1.0.1');
const exposed = { type: 'LoadBalancer', loadBalancerIPs: ['192.0.2.1'] } as const;

const states: Readonly<Record<string, DesiredStore>> = {
  nothing: want(undefined),
  'a ClusterIP': want(service(), one),
  'a ClusterIP without endpoints': want(service()),
  'other endpoints': want(service(), two, local),
  'another scheduler and affinity': want(
    service({ annotations: { 'sluice.dev/scheduler': 'mh' }, affinityTimeoutSeconds: 60 }),
    one,
  ),
  'two ports': want(service({ ports: [servicePort(), servicePort({ port: 81 })] }), one),
  UDP: want(service({ ports: [servicePort({ protocol: 'UDP' })] }), one, two),
  'UDP with fewer': want(service({ ports: [servicePort({ protocol: 'UDP' })] }), two),
  'a load balancer': want(service(exposed), one, local),
  'eTP=Local': want(service({ ...exposed, externalTrafficPolicy: 'Local' }), one, local),
  'eTP=Local without local endpoints': want(service({ ...exposed, externalTrafficPolicy: 'Local' }), one),
  'iTP=Local without local endpoints': want(service({ ...exposed, internalTrafficPolicy: 'Local' }), one),
  'a load balancer for some': want(
    service({ ...exposed, loadBalancerSourceRanges: ['10.0.0.0/8', '11.0.0.0/8'] }),
    one,
  ),
  'a load balancer for fewer': want(
    service({ ...exposed, loadBalancerSourceRanges: ['10.1.0.0/16', '11.0.0.0/8'] }),
    two,
  ),
  'a node port': want(service({ ports: [servicePort({ nodePort: 30_080 })] }), one),
  'another address': want(service({ clusterIPs: ['10.96.0.9'] }), one),
};

const transitions = Object.keys(states).flatMap((from) => Object.keys(states).map((to) => [from, to] as const));

describe('from one state to another', () => {
  it.each(transitions)('%s, then %s: safe after each operation, right at the end, and then quiet', (from, to) => {
    const desired = states[to] ?? emptyDesired();
    const actual = after(states[from] ?? emptyDesired());
    const guards = guardsIn(actual);
    const made = plan(desired, actual);
    for (const phase of phases) {
      advance(actual, made[phase], expectedOf(desired));
      expectSafe(actual, phase);
      expectGuarded({ actual, desired, guards }, phase);
    }
    expect(renderActual(actual, desired)).toBe(renderDesired(desired));
    expect(countOperations(plan(desired, actual))).toBe(0);
  });
});

/** Whatever answers is recorded, and whatever is exposed is known as a VIP with its virtual servers. */
function expectSafe(actual: ActualStore, phase: string): void {
  for (const { server } of actual.virtualServers.values()) {
    expect(actual.elements.has(ownershipKey(server.identity)), `ownership after ${phase}`).toBe(true);
  }
  for (const { address } of actual.vips.values()) {
    const servers = [...actual.virtualServers.keys()];
    expect(actual.elements.has(`vips ${address}`), `vips after ${phase}`).toBe(true);
    expect(
      servers.some((key) => key.includes(` ${address}:`)),
      `virtual servers after ${phase}`,
    ).toBe(true);
  }
  const views = [...actual.elements.values()].filter(isViewElement);
  const unserved = views.filter(({ mark }) => !actual.virtualServers.has(`FWM ${mark} IPv4`));
  expect(unserved, `views after ${phase}`).toEqual([]);
}

const guardSets: ReadonlySet<string> = new Set([
  'masquerade',
  'masquerade_outside',
  'drop',
  'drop_outside',
  'restricted',
]);

/** Guards by the virtual server that they guard. */
function guardsIn({ elements }: ActualStore): ReadonlyMap<string, readonly string[]> {
  const guards = new Map<string, readonly string[]>();
  for (const [key, element] of elements) {
    if (guardSets.has(element.set) && 'port' in element) {
      const server = frontendKey(element.protocol, element.address, element.port);
      guards.set(server, [...(guards.get(server) ?? []), key]);
    }
  }
  return guards;
}

/** A node port answers without a VIP: what goes keeps its guards as long as it is there. */
function expectGuarded(
  { actual, desired, guards }: { actual: ActualStore; desired: DesiredStore; guards: ReturnType<typeof guardsIn> },
  phase: string,
): void {
  const leaving = [...actual.virtualServers.keys()].filter((key) => !desired.resources.has(key));
  const missing = leaving.flatMap((key) => (guards.get(key) ?? []).filter((guard) => !actual.elements.has(guard)));
  expect(missing, `guards of what goes after ${phase}`).toEqual([]);
}

describe('phases', () => {
  it('make before they expose', () => {
    expect(show(plan(want(service(), one), nothing()))).toEqual([
      `claim: add-element virtual_servers ${KEY}`,
      `claim: add-element masquerade_outside ${KEY}`,
      `make: add-virtual-server ${KEY}`,
      `make: add-destination ${KEY} 10.1.1.1:8080 weight 1`,
      'guard: add-element vips 10.96.0.1',
      'expose: add-vip vip 10.96.0.1',
    ]);
  });

  it('hide before they delete', () => {
    expect(show(plan(emptyDesired(), after(want(service(), local))))).toEqual([
      'hide: remove-vip vip 10.96.0.1',
      'unguard: remove-element vips 10.96.0.1',
      `remove: remove-virtual-server ${KEY}`,
      `disclaim: remove-element virtual_servers ${KEY}`,
      'disclaim: remove-element hairpin 10.1.0.1',
      `disclaim: remove-element masquerade_outside ${KEY}`,
    ]);
  });

  it('masquerade before a destination needs it, and until none does', () => {
    const policy = want(service({ ...exposed, externalTrafficPolicy: 'Local' }), one);
    const made = plan(policy, after(want(service(exposed), one)));
    expect(show(made)).toEqual([
      `claim: add-element drop_outside ${EXTERNAL}`,
      'claim: add-element fwmarks 4096 IPv4',
      'make: add-virtual-server FWM 4096 IPv4',
      'make: add-destination FWM 4096 IPv4 10.1.1.1:8080 weight 1',
      `guard: add-element inside_view ${EXTERNAL}`,
      `quiesce: edit-destination ${EXTERNAL} 10.1.1.1:8080 weight 0`,
      `unguard: remove-element masquerade ${EXTERNAL}`,
    ]);
    const back = plan(want(service(exposed), one), after(policy));
    expect(show(back)).toEqual([
      `claim: add-element masquerade ${EXTERNAL}`,
      `make: add-destination ${EXTERNAL} 10.1.1.1:8080 weight 1`,
      `guard: remove-element drop_outside ${EXTERNAL}`,
      `guard: remove-element inside_view ${EXTERNAL}`,
      'remove: remove-virtual-server FWM 4096 IPv4',
      'disclaim: remove-element fwmarks 4096 IPv4',
    ]);
  });

  it('add what comes later in another order on other nodes too, as to a new virtual server (18.4, #121591)', () => {
    const ten = Array.from({ length: 10 }, (_, index) => endpoint(`10.1.1.${index + 10}`));
    const nodes = Array.from({ length: 50 }, (_, index) => `node-${index}`);
    const lastAdded = nodes.map((nodeName) => {
      const { make } = plan(want(service(), ...ten), after(want(service())), { nodeName });
      expect(make).toHaveLength(10);
      const last = make.at(-1);
      return last !== undefined && 'destination' in last ? last.destination.address : '';
    });
    expect(new Set(lastAdded).size).toBeGreaterThanOrEqual(8);
  });

  it('raise weights before they lower others', () => {
    const actual = after(want(service(), one));
    const heavier = want(service(), two);
    expect(show(plan(heavier, actual))).toEqual([
      `make: add-destination ${KEY} 10.1.1.2:8080 weight 1`,
      `quiesce: edit-destination ${KEY} 10.1.1.1:8080 weight 0`,
    ]);
  });

  it('give a returning destination its weight back', () => {
    const actual = after(want(service(), one, two));
    carryOut(actual, plan(want(service(), two), actual), want(service(), two));
    expect(show(plan(want(service(), one, two), actual))).toEqual([
      `make: edit-destination ${KEY} 10.1.1.1:8080 weight 1`,
    ]);
  });

  it('remove a UDP destination at once', () => {
    const udp = service({ ports: [servicePort({ protocol: 'UDP' })] });
    expect(show(plan(want(udp, one), after(want(udp, one, two))))).toEqual([
      'quiesce: remove-destination UDP 10.96.0.1:80 10.1.1.2:8080 weight 1',
    ]);
  });

  it('change another mark of a view in place', () => {
    const desired = want(service({ ...exposed, externalTrafficPolicy: 'Local' }), one);
    const actual = after(desired);
    actual.elements.set(`inside_view ${EXTERNAL}`, {
      set: 'inside_view',
      address: '192.0.2.1',
      protocol: 'TCP',
      port: 80,
      mark: 7,
    });
    expect(show(plan(desired, actual))).toEqual([`guard: add-element inside_view ${EXTERNAL}`]);
  });

  it.each([
    ['the scheduler', { scheduler: 'lc' }],
    ['the flags', { flags: 1 }],
    ['the timeout', { timeoutSeconds: 5 }],
    ['the prefix length', { prefixLength: 24 }],
  ])('edit a virtual server in which %s differs', (_, fields) => {
    const desired = want(service(), one);
    const actual = after(desired);
    advance(
      actual,
      [{ kind: 'edit-virtual-server', server: virtualServer('TCP', fields) }],
      expectedOf(emptyDesired()),
    );
    expect(show(plan(desired, actual))).toEqual([`make: edit-virtual-server ${KEY}`]);
  });

  it('count all operations', () => {
    const made = plan(want(service(), one), nothing());
    expect(countOperations(made)).toBe(show(made).length);
    expect(countOperations(made)).toBe(6);
  });
});

describe('what is not sluice’s', () => {
  const foreign = { ...virtualServer(), identity: { ...virtualServer().identity, address: '10.96.0.5' } };

  it.each([
    ['virtual server', { virtualServers: [{ server: foreign, destinations: [] }], vips: [], elements: [] }],
    [
      'fwmark virtual server',
      {
        virtualServers: [
          { server: { ...foreign, identity: { kind: 'fwmark', family: 'IPv6', mark: 9 } as const }, destinations: [] },
        ],
        vips: [],
        elements: [],
      },
    ],
    [
      'address',
      {
        virtualServers: [],
        vips: [{ address: '10.96.0.5', onInterface: true, routed: false, source: '10.96.0.5' }],
        elements: [],
      },
    ],
  ])('is left alone: a %s', (_, reading) => {
    expect(countOperations(plan(emptyDesired(), adoptReading(reading)))).toBe(0);
  });

  it('is no route with sluice’s protocol number, nor an address recorded as a VIP', () => {
    const address = '10.96.0.5';
    const routed = {
      virtualServers: [],
      vips: [{ address, onInterface: false, routed: true, source: undefined }],
      elements: [],
    };
    expect(show(plan(emptyDesired(), adoptReading(routed)))).toEqual([`hide: remove-vip vip ${address}`]);
    const vips = [{ address, onInterface: true, routed: false, source: address }];
    const recorded = adoptReading({ virtualServers: [], vips, elements: [{ set: 'vips', address }] });
    expect(plan(emptyDesired(), recorded).hide.map(lineOf)).toEqual([`remove-vip vip ${address}`]);
  });

  it('is what stands in excluded CIDRs: it is never removed', () => {
    const excludedCIDRs = ['10.96.0.0/24'].map(parseCIDR).filter((cidr) => cidr !== undefined);
    const actual = after(want(service(), one));
    expect(plan(emptyDesired(), actual, { excludedCIDRs }).remove).toEqual([]);
    expect(plan(emptyDesired(), actual).remove).toHaveLength(1);
  });
});

describe('a VIP', () => {
  const desired = want(service(), one);

  it.each<[string, VipMode, object, boolean]>([
    ['without its address', 'address', { onInterface: false }, true],
    ['without its address', 'route', { onInterface: false }, false],
    ['without its route', 'address', { routed: false }, true],
    ['without its route', 'route', { routed: false }, true],
    ['with another source', 'address', { source: '10.96.0.1' }, true],
    ['without a source', 'route', { source: undefined }, true],
    ['that is complete', 'address', {}, false],
  ])('%s, in mode %s, is completed when needed', (_, vipMode, fields, isMended) => {
    const actual = after(desired);
    const there = actual.vips.get('vip 10.96.0.1');
    actual.vips.set('vip 10.96.0.1', {
      address: '10.96.0.1',
      onInterface: true,
      routed: true,
      source: undefined,
      ...there,
      ...fields,
    });
    expect(show(plan(desired, actual, { vipMode }))).toEqual(isMended ? ['expose: add-vip vip 10.96.0.1'] : []);
  });
});

describe('a quarantined destination', () => {
  const { identity } = virtualServer();
  const quarantined = new Set([quarantineKey(identity, destination('10.1.1.1'))]);

  it('is left out of a new virtual server and of one that stands', () => {
    const made = plan(want(service(), one, two), nothing(), { quarantined });
    expect(made.make.map(lineOf)).toEqual([
      `add-virtual-server ${KEY}`,
      `add-destination ${KEY} 10.1.1.2:8080 weight 1`,
    ]);
    expect(countOperations(plan(want(service(), one, two), after(want(service(), two)), { quarantined }))).toBe(0);
  });

  it('is tried again once it is another one', () => {
    const other = new Set([quarantineKey(identity, destination('10.1.1.1', 2))]);
    expect(plan(want(service(), one), nothing(), { quarantined: other }).make).toHaveLength(2);
  });
});
