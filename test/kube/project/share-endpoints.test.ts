import { describe, expect, it } from 'vitest';

import type { EndpointFact, EndpointSliceFact, ObjectFact } from '../../../src/core/model/facts.ts';
import { shareEndpoints } from '../../../src/kube/project/share-endpoints.ts';
import { endpoint, service, slice } from '../../support/facts.ts';

/** A copy of an object as it comes again: nothing in it is the same object. */
function again(fact: EndpointSliceFact, changed: Partial<EndpointSliceFact> = {}): EndpointSliceFact {
  return { ...structuredClone(fact), ...changed };
}

function share(fact: EndpointSliceFact, before: EndpointSliceFact): EndpointSliceFact {
  const shared = shareEndpoints({ kind: 'EndpointSlice', fact }, { kind: 'EndpointSlice', fact: before });
  expect(shared).toStrictEqual({ kind: 'EndpointSlice', fact });
  return shared.fact as EndpointSliceFact;
}

/** At which place of `before` each endpoint is the very same object; -1 at none. */
function places(fact: EndpointSliceFact, before: EndpointSliceFact): readonly number[] {
  return fact.endpoints.map((each) => before.endpoints.indexOf(each));
}

const full: EndpointFact = endpoint('10.1.0.1', {
  nodeName: 'node-b',
  zoneHints: ['a', 'b'],
  nodeHints: ['node-b'],
  target: 'web-1',
});
const before = slice([full, endpoint('10.1.0.2'), endpoint('10.1.0.3')]);

describe('a slice that comes again', () => {
  it('keeps its endpoints, as one list, and its ports where nothing in them changed', () => {
    const shared = share(again(before, { triggeredAt: 1 }), before);
    expect(shared.endpoints).toBe(before.endpoints);
    expect(shared.ports).toBe(before.ports);
  });

  it('keeps those that did not change, in their order or not', () => {
    const [one, two, three] = again(before).endpoints as [EndpointFact, EndpointFact, EndpointFact];
    const four = endpoint('10.1.0.4');
    expect(places(share(again(before, { endpoints: [one, three] }), before), before)).toEqual([0, 2]);
    expect(places(share(again(before, { endpoints: [four, one, two, three] }), before), before)).toEqual([-1, 0, 1, 2]);
    expect(places(share(again(before, { endpoints: [three, two, one] }), before), before)).toEqual([2, 1, 0]);
    expect(places(share(again(before, { endpoints: [] }), before), before)).toEqual([]);
  });

  it.each<Partial<EndpointFact>>([
    { address: '10.1.0.9' },
    { ready: false },
    { serving: false },
    { terminating: true },
    { nodeName: 'node-c' },
    { zoneHints: ['a', 'c'] },
    { zoneHints: ['a'] },
    { zoneHints: undefined },
    { nodeHints: ['node-c'] },
    { target: 'web-9' },
  ])('has an endpoint anew with %o', (change) => {
    const endpoints = again(before).endpoints.map((each, index) => (index === 0 ? { ...each, ...change } : each));
    expect(places(share(again(before, { endpoints }), before), before)).toEqual([-1, 1, 2]);
  });

  it.each([{ name: 'other' }, { protocol: 'UDP' } as const, { port: 9 }])('has its ports anew with %o', (change) => {
    const ports = before.ports.map((port) => ({ ...port, ...change }));
    expect(share(again(before, { ports }), before).ports).toBe(ports);
  });

  it('of which one address stands twice keeps each as it is', () => {
    const twice = slice([endpoint('10.1.0.1'), endpoint('10.1.0.1', { ready: false })]);
    expect(places(share(again(twice), twice), twice)).toEqual([0, 1]);
    const turned = again(twice, { endpoints: [...again(twice).endpoints].reverse() });
    share(turned, twice);
  });
});

it('an object of another kind, and a slice that was not known, stay as they are', () => {
  const object: ObjectFact = { kind: 'EndpointSlice', fact: before };
  expect(shareEndpoints(object, undefined)).toBe(object);
  expect(shareEndpoints(object, { kind: 'Service', fact: service() })).toBe(object);
});
