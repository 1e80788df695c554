import { expect, it } from 'vitest';
import { endpointChanges, roundsOfChanges } from './endpoint-changes.ts';

const size = { services: 100, endpoints: 10, family: 'IPv4' } as const;

it('changes in rounds cancel nothing out that comes close to them, and leave every Service whole', () => {
  const changes = roundsOfChanges(size, 'TCP', 1_000);
  expect(changes).toHaveLength(1_000);
  for (let from = 0; from + 40 <= changes.length; from += 40) {
    expect(new Set(changes.slice(from, from + 40).map(({ service }) => service)).size).toBeGreaterThan(30);
  }
  const last = new Map(changes.map(({ service, endpoints }) => [service, endpoints]));
  expect([...last.values()]).toEqual(Array(50).fill(10));
});

it('has one round at least', () => {
  expect(roundsOfChanges(size, 'UDP', 10)).toHaveLength(100);
});

it.each([1, 2, 3, 10])('leaves a Service with %i endpoints two at least, or gives it one more', (endpoints) => {
  const changes = [...endpointChanges({ ...size, endpoints }, 'TCP', 4)].map((change) => change.endpoints);
  const other = endpoints > 2 ? endpoints - 1 : endpoints + 1;
  expect(changes).toEqual([other, endpoints, other, endpoints]);
});
