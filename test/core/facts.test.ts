import { describe, expect, it } from 'vitest';
import { applyChanges, emptyFacts, type FactStore } from '../../src/core/facts.ts';
import type { EndpointSliceFact, FactChange, ServiceFact } from '../../src/core/model/facts.ts';
import { endpoint, node, service, slice } from '../support/facts.ts';

function apply(facts: FactStore, ...batch: readonly FactChange[]): readonly string[] {
  return [...applyChanges(facts, batch).services].sort();
}

function setService(fact: ServiceFact): FactChange {
  return { change: 'set', kind: 'Service', fact };
}

function setSlice(fact: EndpointSliceFact): FactChange {
  return { change: 'set', kind: 'EndpointSlice', fact };
}

const other = service({ name: 'other' });

describe('facts', () => {
  it('name the Services that a change touches', () => {
    const facts = emptyFacts();
    expect(apply(facts, setService(service()), setService(other))).toEqual(['default/other', 'default/web']);
    expect(apply(facts, setSlice(slice([endpoint('10.1.0.1')])))).toEqual(['default/web']);
    expect(apply(facts, { change: 'delete', kind: 'EndpointSlice', key: 'default/web-1' })).toEqual(['default/web']);
    expect(facts.slices.size).toBe(0);
    expect(facts.owners.size).toBe(0);
    expect(apply(facts, { change: 'delete', kind: 'Service', key: 'default/web' })).toEqual(['default/web']);
    expect([...facts.services.keys()]).toEqual(['default/other']);
  });

  it('touch nothing when an unknown slice goes', () => {
    expect(apply(emptyFacts(), { change: 'delete', kind: 'EndpointSlice', key: 'default/web-1' })).toEqual([]);
  });

  it('touch both Services when a slice changes hands', () => {
    const facts = emptyFacts();
    apply(facts, setSlice(slice()));
    expect(apply(facts, setSlice(slice([], { service: 'default/other' })))).toEqual(['default/other', 'default/web']);
    expect([...facts.slices.keys()]).toEqual(['default/other']);
  });

  it('take what a complete list lacks for gone, and know then that it is complete', () => {
    const facts = emptyFacts();
    apply(facts, setService(service()), setSlice(slice()), setSlice(slice([], { key: 'default/web-2' })));
    const kept = { kind: 'EndpointSlice', fact: slice([], { key: 'default/web-2' }) } as const;
    expect(apply(facts, { change: 'replace', kind: 'EndpointSlice', facts: [kept] })).toEqual(['default/web']);
    expect([...facts.owners.keys()]).toEqual(['default/web-2']);
    expect([...facts.complete]).toEqual(['EndpointSlice']);
    expect(apply(facts, { change: 'replace', kind: 'Service', facts: [] })).toEqual(['default/web']);
    expect(facts.services.size).toBe(0);
  });

  it('say when the node was touched, and keep it when it is gone from the API', () => {
    const facts = emptyFacts();
    expect(applyChanges(facts, [{ change: 'set', kind: 'Node', fact: node() }])).toEqual({
      services: new Set(),
      node: true,
    });
    applyChanges(facts, [{ change: 'delete', kind: 'Node', key: 'node-a' }]);
    applyChanges(facts, [{ change: 'replace', kind: 'Node', facts: [] }]);
    expect(facts.node).toEqual(node());
    expect(facts.complete.has('Node')).toBe(true);
  });
});
