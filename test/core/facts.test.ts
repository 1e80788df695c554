import { describe, expect, it } from 'vitest';
import {
  applyChanges,
  emptyFacts,
  type FactStore,
  servicesToCompile,
  sliceOf,
  slicesOf,
} from '../../src/core/facts.ts';
import type { EndpointSliceFact, FactChange, NodeFact, ServiceFact } from '../../src/core/model/facts.ts';
import { rangeAround } from '../../src/core/range-set.ts';
import { endpoint, node, service, slice } from '../support/facts.ts';

function apply(facts: FactStore, ...batch: readonly FactChange[]): readonly string[] {
  return [...servicesToCompile(facts, applyChanges(facts, batch))].sort();
}

function setService(fact: ServiceFact): FactChange {
  return { change: 'set', kind: 'Service', fact };
}

function setSlice(fact: EndpointSliceFact): FactChange {
  return { change: 'set', kind: 'EndpointSlice', fact };
}

function setNode(fact: NodeFact): FactChange {
  return { change: 'set', kind: 'Node', fact };
}

function apiServers(address: string): FactChange {
  const ports = [{ name: 'https', protocol: 'TCP', port: 6443 }] as const;
  return setSlice(slice([endpoint(address)], { key: 'default/kubernetes', service: 'default/kubernetes', ports }));
}

const nodeB = node({ name: 'node-b', allAddresses: ['192.0.2.1'], podCIDRs: ['10.1.1.0/24'] });

const other = service({ name: 'other' });

describe('facts', () => {
  it('are touched by a list only where it brings something else', () => {
    const facts = emptyFacts('node-a');
    const web = { kind: 'Service', fact: service() } as const;
    const webSlice = { kind: 'EndpointSlice', fact: slice([endpoint('10.1.0.1')]) } as const;
    applyChanges(facts, [
      { change: 'set', ...web },
      { change: 'set', ...webSlice },
    ]);
    const changed = { kind: 'Service', fact: service({ name: 'other' }) } as const;
    expect(apply(facts, { change: 'replace', kind: 'Service', facts: [web, changed] })).toEqual(['default/other']);
    expect(apply(facts, { change: 'replace', kind: 'EndpointSlice', facts: [webSlice] })).toEqual([]);
    expect(facts.complete).toEqual(new Set(['Service', 'EndpointSlice']));
  });

  it('are touched by the end of a first list only where something else is known', () => {
    const facts = emptyFacts('node-a');
    const list = (...services: readonly ServiceFact[]) =>
      new Map(services.map((fact) => [fact.key, { kind: 'Service', fact }] as const));
    apply(facts, setService(service()), setService(other));
    const end: FactChange = { change: 'complete', kind: 'Service', count: 1, list: list(service()) };
    expect(apply(facts, end)).toEqual(['default/other']);
    expect([[...facts.services.keys()], facts.complete]).toEqual([['default/web'], new Set(['Service'])]);

    const whole = emptyFacts('node-a');
    apply(whole, setService(service()), setService(other));
    expect(apply(whole, { ...end, count: 2, list: list(service(), other) })).toEqual([]);
  });

  it('lose what is not of a first list also where the list has grown since', () => {
    const facts = emptyFacts('node-a');
    apply(facts, setService(service()), setService(other));
    const later = service({ name: 'later' });
    const list = new Map([service(), later].map((fact) => [fact.key, { kind: 'Service', fact }] as const));
    apply(facts, { change: 'complete', kind: 'Service', count: 1, list }, setService(later));
    expect([...facts.services.keys()]).toEqual(['default/web', 'default/later']);
  });

  it('are those of a first list where others were told of while it came', () => {
    const facts = emptyFacts('node-a');
    const now = service({ createdAt: 2 });
    const list = new Map([[now.key, { kind: 'Service', fact: now }]] as const);
    apply(facts, setService(now));
    apply(facts, {
      change: 'replace',
      kind: 'Service',
      facts: [
        { kind: 'Service', fact: service() },
        { kind: 'Service', fact: other },
      ],
    });
    apply(facts, { change: 'complete', kind: 'Service', count: 1, list });
    expect([...facts.services.values()]).toEqual([now]);
  });

  it('name the Services that a change touches', () => {
    const facts = emptyFacts('node-a');
    expect(apply(facts, setService(service()), setService(other))).toEqual(['default/other', 'default/web']);
    expect(apply(facts, setSlice(slice([endpoint('10.1.0.1')])))).toEqual(['default/web']);
    expect(apply(facts, { change: 'delete', kind: 'EndpointSlice', key: 'default/web-1' })).toEqual(['default/web']);
    expect(facts.slices.size).toBe(0);
    expect(facts.owners.size).toBe(0);
    expect(apply(facts, { change: 'delete', kind: 'Service', key: 'default/web' })).toEqual(['default/web']);
    expect([...facts.services.keys()]).toEqual(['default/other']);
  });

  it('keep the slices of a Service in the order of their keys, whenever they came', () => {
    const facts = emptyFacts('node-a');
    const [one, two, three] = ['web-1', 'web-2', 'web-3'].map((name) => slice([], { key: `default/${name}` }));
    const keys = (): readonly string[] => slicesOf(facts, 'default/web').map(({ key }) => key);
    apply(facts, ...[two, three, one].flatMap((each) => (each === undefined ? [] : [setSlice(each)])));
    expect(keys()).toEqual(['default/web-1', 'default/web-2', 'default/web-3']);
    const newer = slice([endpoint('10.1.0.1')], { key: 'default/web-2' });
    apply(facts, setSlice(newer), { change: 'delete', kind: 'EndpointSlice', key: 'default/web-1' });
    expect(slicesOf(facts, 'default/web')).toEqual([newer, three]);
    expect(sliceOf(facts, 'default/web-2')).toBe(newer);
    expect(sliceOf(facts, 'default/web-1')).toBeUndefined();
  });

  it('touch nothing when an unknown slice goes', () => {
    expect(apply(emptyFacts('node-a'), { change: 'delete', kind: 'EndpointSlice', key: 'default/web-1' })).toEqual([]);
  });

  it('touch both Services when a slice changes hands', () => {
    const facts = emptyFacts('node-a');
    apply(facts, setSlice(slice()));
    expect(apply(facts, setSlice(slice([], { service: 'default/other' })))).toEqual(['default/other', 'default/web']);
    expect([...facts.slices.keys()]).toEqual(['default/other']);
  });

  it('name the Services whose UDP endpoints changed, those that had some included', () => {
    const facts = emptyFacts('node-a');
    const udp = slice([endpoint('10.1.0.1')], { ports: [{ name: 'dns', protocol: 'UDP', port: 53 }] });
    const touchedUdp = (...batch: readonly FactChange[]): readonly string[] => [
      ...applyChanges(facts, batch).udpServices,
    ];
    expect(touchedUdp(setService(service()), setSlice(slice([endpoint('10.1.0.1')])))).toEqual([]);
    expect(touchedUdp(setSlice(udp))).toEqual(['default/web']);
    expect(touchedUdp(setService(service({ createdAt: 2 })))).toEqual([]);
    expect(touchedUdp(setSlice(slice()))).toEqual(['default/web']);
    expect(touchedUdp(setSlice(slice()))).toEqual([]);
    applyChanges(facts, [setSlice(udp)]);
    expect(touchedUdp({ change: 'delete', kind: 'EndpointSlice', key: udp.key })).toEqual(['default/web']);
    expect(touchedUdp({ change: 'delete', kind: 'Service', key: 'default/web' })).toEqual([]);
  });

  it('name a Service that appears after its UDP slices, once', () => {
    const facts = emptyFacts('node-a');
    applyChanges(facts, [setSlice(slice([], { ports: [{ name: '', protocol: 'UDP', port: 53 }] }))]);
    expect([...applyChanges(facts, [setService(service())]).udpServices]).toEqual(['default/web']);
    expect([...applyChanges(facts, [setService(service())]).udpServices]).toEqual([]);
  });

  it('take what a complete list lacks for gone, and know then that it is complete', () => {
    const facts = emptyFacts('node-a');
    apply(facts, setService(service()), setSlice(slice()), setSlice(slice([], { key: 'default/web-2' })));
    const kept = { kind: 'EndpointSlice', fact: slice([], { key: 'default/web-2' }) } as const;
    expect(apply(facts, { change: 'replace', kind: 'EndpointSlice', facts: [kept] })).toEqual(['default/web']);
    expect([...facts.owners.keys()]).toEqual(['default/web-2']);
    expect([...facts.complete]).toEqual(['EndpointSlice']);
    expect(apply(facts, { change: 'replace', kind: 'Service', facts: [] })).toEqual(['default/web']);
    expect(facts.services.size).toBe(0);
  });

  it('say when the node was touched, and keep it when it is gone from the API', () => {
    const facts = emptyFacts('node-a');
    expect(applyChanges(facts, [{ change: 'set', kind: 'Node', fact: node() }])).toMatchObject({
      services: new Set(),
      udpServices: new Set(),
      node: true,
    });
    applyChanges(facts, [{ change: 'delete', kind: 'Node', key: 'node-a' }]);
    applyChanges(facts, [{ change: 'replace', kind: 'Node', facts: [] }]);
    expect(facts.node).toEqual(node());
    expect(facts.complete.has('Node')).toBe(true);
  });

  it('touch nothing when a Node says what it said before', () => {
    const facts = emptyFacts('node-a');
    applyChanges(facts, [setNode(node())]);
    expect(applyChanges(facts, [setNode(node({ allAddresses: [...node().allAddresses] }))]).node).toBe(false);
    expect(applyChanges(facts, [setNode(node({ name: 'node-b', allAddresses: [] }))]).node).toBe(false);
    expect(facts.node?.name).toBe('node-a');
  });

  it('have another map of ServiceCIDRs after every change of one', () => {
    const facts = emptyFacts('node-a');
    const ranges = (): readonly string[] => [...facts.serviceCIDRs.values()].flatMap(({ cidrs }) => cidrs);
    const set = (key: string, ...cidrs: readonly string[]): FactChange => {
      return { change: 'set', kind: 'ServiceCIDR', fact: { key, cidrs } };
    };
    applyChanges(facts, [set('a', '10.96.0.0/12'), set('b', '10.200.0.0/16')]);
    const before = facts.serviceCIDRs;
    expect(ranges()).toEqual(['10.96.0.0/12', '10.200.0.0/16']);
    applyChanges(facts, [{ change: 'delete', kind: 'ServiceCIDR', key: 'b' }]);
    expect(ranges()).toEqual(['10.96.0.0/12']);
    expect(facts.serviceCIDRs).not.toBe(before);
    applyChanges(facts, [{ change: 'replace', kind: 'ServiceCIDR', facts: [] }]);
    expect(ranges()).toEqual([]);
    expect(facts.complete.has('ServiceCIDR')).toBe(true);
  });

  it('forget another Node that is gone, with its addresses and pod ranges', () => {
    const facts = emptyFacts('node-a');
    applyChanges(facts, [setNode(nodeB), setNode(node())]);
    expect(facts.addresses.nodes.get('192.0.2.1')).toEqual(['node-b']);
    applyChanges(facts, [{ change: 'replace', kind: 'Node', facts: [{ kind: 'Node', fact: node() }] }]);
    expect([...facts.nodes.keys()]).toEqual(['node-a']);
    expect(facts.addresses.nodes.has('192.0.2.1')).toBe(false);
    expect(rangeAround(facts.addresses.podRanges, '10.1.1.9')).toBeUndefined();
    expect(rangeAround(facts.addresses.podRanges, '10.1.0.9')).toBeDefined();
  });
});

describe('the owner of an address that changes', () => {
  const reached = service({ externalIPs: ['192.0.2.1'], loadBalancerIPs: ['10.1.1.9'] });

  it.each<[string, FactChange, readonly string[]]>([
    ['a Node comes with it', setNode(nodeB), ['default/web']],
    ['a Node comes with another', setNode({ ...nodeB, allAddresses: ['192.0.2.9'], podCIDRs: [] }), []],
    ['a Node’s pods get it', setNode({ ...nodeB, allAddresses: [] }), ['default/web']],
    ['an API server listens there', apiServers('192.0.2.1'), ['default/kubernetes', 'default/web']],
    ['an API server listens elsewhere', apiServers('192.0.2.3'), ['default/kubernetes']],
  ])('touches the Services of the address alone: %s', (_, change, touched) => {
    const facts = emptyFacts('node-a');
    apply(facts, setService(reached), setService(service({ name: 'other', externalIPs: ['192.0.2.2'] })));
    expect(apply(facts, change)).toEqual(touched);
  });

  it('touches them again when it lets go', () => {
    const facts = emptyFacts('node-a');
    apply(facts, setService(reached), setNode(nodeB), apiServers('192.0.2.1'));
    expect(apply(facts, setNode({ ...nodeB, allAddresses: ['192.0.2.9'] }))).toEqual(['default/web']);
    expect(apply(facts, { change: 'delete', kind: 'Node', key: 'node-b' })).toEqual(['default/web']);
    expect(apply(facts, apiServers('192.0.2.3'))).toEqual(['default/kubernetes', 'default/web']);
    expect([...facts.addresses.apiServers]).toEqual([['192.0.2.3', new Set([6443])]]);
  });

  it('is no API server because somebody else’s slice says so', () => {
    const facts = emptyFacts('node-a');
    const forged = slice([endpoint('192.0.2.1')], { key: 'default/forged', service: 'default/kubernetes' });
    apply(facts, setService(reached), setSlice(forged));
    expect(facts.addresses.apiServers.size).toBe(0);
  });

  it('no longer touches a Service that left the address or is gone', () => {
    const facts = emptyFacts('node-a');
    apply(facts, setService(reached), setService(service({ externalIPs: ['10.1.1.9'] })));
    expect([...facts.addresses.external]).toEqual([['10.1.1.9', ['default/web']]]);
    apply(facts, { change: 'delete', kind: 'Service', key: 'default/web' });
    expect(apply(facts, setNode(nodeB))).toEqual([]);
    expect(facts.addresses.external.size).toBe(0);
  });
});
