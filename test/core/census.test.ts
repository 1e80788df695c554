import { describe, expect, it } from 'vitest';
import { type ActualStore, adoptReading } from '../../src/core/actual.ts';
import { takeCensus } from '../../src/core/census.ts';
import type { FilterElement } from '../../src/core/model/filter-element.ts';
import type { VirtualServerState } from '../../src/core/model/virtual-server.ts';
import { finish } from '../../src/core/steps.ts';
import { virtualServer } from '../support/servers.ts';

const nothing = { virtualServer: () => undefined };

/** So many virtual servers, of which the first are recorded as sluice's. */
function holding(count: number, own: number): ActualStore {
  const identities = Array.from({ length: count }, (_, port) => ({
    kind: 'address' as const,
    protocol: 'TCP' as const,
    address: '10.96.0.1',
    port: port + 1,
  }));
  const virtualServers = identities.map(
    (identity): VirtualServerState => ({ server: virtualServer('TCP', { identity }), destinations: [] }),
  );
  const elements = identities
    .slice(0, own)
    .map(({ address, protocol, port }): FilterElement => ({ set: 'virtual_servers', address, protocol, port }));
  return adoptReading({ virtualServers, vips: [], elements });
}

describe('the census', () => {
  it('counts by the record of ownership', () => {
    expect(finish(takeCensus(holding(5, 3), nothing))).toEqual({
      own: { 'virtual-server': 3, vip: 0, element: 3 },
      foreign: { 'virtual-server': 2, vip: 0 },
    });
  });

  it('takes nothing for others’ that goes while it counts', () => {
    const actual = holding(3_000, 2_990);
    const steps = takeCensus(actual, nothing);
    expect(steps.next().done).toBe(false);
    [...actual.virtualServers.keys()].slice(0, 500).forEach((key) => actual.virtualServers.delete(key));
    expect(finish(steps).foreign).toEqual({ 'virtual-server': 10, vip: 0 });
  });
});
