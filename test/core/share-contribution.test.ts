import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { emptyAddresses } from '../../src/core/address-index.ts';
import { compileService } from '../../src/core/compile.ts';
import { listDestinations } from '../../src/core/destinations.ts';
import type { CompileContext } from '../../src/core/model/context.ts';
import type { EndpointFact, ServiceFact } from '../../src/core/model/facts.ts';
import type { Contribution, Resource } from '../../src/core/model/resource.ts';
import { context } from '../support/context.ts';
import { endpoint, localEndpoint, notReady, service, servicePort, slice } from '../support/facts.ts';

interface Cluster {
  readonly fact: ServiceFact;
  readonly endpoints: readonly EndpointFact[];
  readonly weight: number;
  readonly context: CompileContext;
}

const direct = { 'sluice.dev/dsr': 'tunnel' };

function compile({ fact, endpoints, weight, context: around }: Cluster, last?: Contribution): Contribution {
  // A tunnel leaves the port as it is: the first port of the Service may have one.
  const slices = [slice(endpoints, { weight, ports: [{ name: '', protocol: 'TCP', port: 80 }] })];
  return compileService({
    service: fact,
    slices,
    context: around,
    addresses: emptyAddresses(),
    last,
    // As the marks are: the same view has the same one.
    markOf: (set, view) => (set === 'inside_view' ? 4_096 : 8_192) + view.length,
  });
}

const one: Cluster = {
  fact: service({
    type: 'LoadBalancer',
    loadBalancerIPs: ['192.0.2.1'],
    ports: [servicePort(), servicePort({ port: 81 })],
  }),
  endpoints: [endpoint('10.1.0.1'), localEndpoint('10.1.0.2'), endpoint('10.1.0.3')],
  weight: 1,
  context: context(),
};

const anyService = fc
  .record({
    externalTrafficPolicy: fc.constantFrom('Cluster', 'Local'),
    internalTrafficPolicy: fc.constantFrom('Cluster', 'Local'),
    affinityTimeoutSeconds: fc.constantFrom(undefined, 60),
    externalIPs: fc.constantFrom([], ['192.0.2.7']),
    loadBalancerSourceRanges: fc.constantFrom([], ['198.51.100.0/24']),
    healthCheckNodePort: fc.constantFrom(0, 30_100),
    ports: fc.constantFrom(
      [servicePort()],
      [servicePort({ port: 81 })],
      [servicePort(), servicePort({ port: 81, nodePort: 30_081 })],
    ),
    annotations: fc.constantFrom<ServiceFact['annotations']>({}, { 'sluice.dev/scheduler': 'sh' }, direct, {
      ...direct,
      'sluice.dev/dsr-encap': 'gue',
    }),
  })
  .map((fields) => service({ type: 'LoadBalancer', loadBalancerIPs: ['192.0.2.1'], ...fields }));

const anyCluster: fc.Arbitrary<Cluster> = fc.record({
  fact: anyService,
  endpoints: fc.subarray([...one.endpoints, endpoint('10.1.0.4', notReady), localEndpoint('10.1.0.10')]),
  weight: fc.constantFrom(1, 2),
  context: fc.constantFrom(
    context(),
    context({ sources: { IPv4: '192.168.0.9', IPv6: undefined } }),
    context({
      hasDirectReturn: true,
      podTunnels: new Map([['10.1.0.2', { kind: 'prepared', vips: ['192.0.2.1'], encapsulation: 'ipip' }]]),
    }),
  ),
});

function resourcesOf({ frontends }: Contribution): ReadonlyMap<string, Resource> {
  return new Map(frontends.flatMap(({ resources }) => resources.map((resource) => [resource.key, resource] as const)));
}

describe('a Service that is compiled again', () => {
  it('wants what it would want without a last time, whatever that was', () => {
    fc.assert(
      fc.property(anyCluster, anyCluster, (before, now) => {
        expect(compile(now, compile(before))).toEqual(compile(now));
      }),
    );
  });

  it('has its destinations in the order of their keys', () => {
    fc.assert(
      fc.property(anyCluster, anyCluster, (before, now) => {
        for (const resource of resourcesOf(compile(now, compile(before))).values()) {
          const destinations = resource.kind === 'virtual-server' ? resource.value.destinations : [];
          expect(destinations).toEqual(listDestinations(destinations));
        }
      }),
    );
  });

  it('keeps all its frontends where nothing changed', () => {
    const last = compile(one);
    expect(compile(one, last).frontends).toBe(last.frontends);
  });

  it('keeps what an endpoint that came does not change', () => {
    const last = compile(one);
    const next = compile({ ...one, endpoints: [...one.endpoints, endpoint('10.1.0.4')] }, last);
    const before = resourcesOf(last);
    const changed = [...resourcesOf(next)].filter(([key, resource]) => resource !== before.get(key));
    expect(changed.map(([key]) => key)).toEqual([
      'TCP 10.96.0.1:80',
      'TCP 192.0.2.1:80',
      'TCP 10.96.0.1:81',
      'TCP 192.0.2.1:81',
    ]);
    for (const [key, resource] of changed) {
      const known = before.get(key);
      const lists = [known, resource].map((each) => (each?.kind === 'virtual-server' ? each.value.destinations : []));
      expect(lists[1]?.filter((destination) => lists[0]?.includes(destination) !== true)).toMatchObject([
        { address: '10.1.0.4' },
      ]);
      expect(known?.kind === 'virtual-server' && known.value.server).toBe(
        resource.kind === 'virtual-server' && resource.value.server,
      );
    }
  });

  it('has anew what differs in nothing that the kernel is compared by', () => {
    const tunnelled: Cluster = {
      ...one,
      fact: { ...one.fact, annotations: direct },
      context: context({ hasDirectReturn: true }),
    };
    const gue: Cluster = {
      ...tunnelled,
      fact: { ...one.fact, annotations: { ...direct, 'sluice.dev/dsr-encap': 'gue' } },
    };
    expect(resourcesOf(compile(gue)).get('direct_return 192.0.2.1')).toBeDefined();
    expect(compile(gue, compile(tunnelled))).toEqual(compile(gue));
  });
});
