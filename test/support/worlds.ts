/** Random worlds: sequences of API objects, restarts and mishaps for a reconciler on some node. */

import fc from 'fast-check';
import type { CompileContext } from '../../src/core/model/context.ts';
import type { EndpointFact, EndpointSliceFact, FactChange, ServiceFact } from '../../src/core/model/facts.ts';
import type { Operation } from '../../src/core/model/operation.ts';
import type { errno } from '../../src/kernel/error.ts';
import { cidrs, nodeAddresses } from './context.ts';
import { endpoint, node, service, servicePort, slice } from './facts.ts';

export type Step =
  | { readonly do: 'change'; readonly batch: readonly FactChange[] }
  /** The process ends and another one starts on what it finds. */
  | { readonly do: 'restart' }
  /** The next operation of this kind fails. */
  | { readonly do: 'fail'; readonly kind: Operation['kind']; readonly code: keyof typeof errno }
  /** The answers to the next call of this port are lost. */
  | { readonly do: 'lose'; readonly port: 'ipvs' | 'link' | 'filter' }
  /** Somebody removes a virtual server or all destinations of one; `pick` chooses it. */
  | { readonly do: 'meddle'; readonly what: 'server' | 'destinations'; readonly pick: number }
  | { readonly do: 'context'; readonly fields: Partial<CompileContext> }
  /** The grace of every drain passes. */
  | { readonly do: 'wait' };

const names = ['web', 'dns', 'db', 'old'] as const;
const clusterIPs = { IPv4: ['10.96.0.1', '10.96.0.2', '10.96.0.3'], IPv6: ['fd00:96::1', 'fd00:96::2'] } as const;
/** The second of each family is an address of the node, the third somebody's ClusterIP. */
const externalIPs = ['192.0.2.1', '192.168.0.1', '10.96.0.1', '2001:db8::1', 'fd00:100::1', 'fd00:96::1'] as const;
const annotations = [
  {},
  { 'sluice.dev/scheduler': 'lc' },
  { 'sluice.dev/scheduler': 'mh', 'sluice.dev/scheduler-flags': 'mh-port,what' },
  { 'kube-router.io/service.scheduler': 'wrr' },
  { 'sluice.dev/scheduler': 'best-one' },
  { 'kube-router.io/service.local': 'true' },
  { 'kube-router.io/service.skiplbips': '' },
  { 'sluice.dev/dsr': 'tunnel' },
  { 'kube-router.io/service.dsr': 'tunnel', 'kube-router.io/service.local': 'true' },
];

const port = fc.record({
  name: fc.constantFrom('', 'a', 'b'),
  protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'),
  port: fc.constantFrom(53, 80, 8080, 8080, 30_080),
  nodePort: fc.constantFrom(0, 0, 30_080, 30_053),
});
const policy = fc.constantFrom('Cluster', 'Local');

/** Services as the API may hold them after years: without ports, with ports twice, without addresses of a family. */
const aService: fc.Arbitrary<ServiceFact> = fc
  .record({
    name: fc.constantFrom(...names),
    createdAt: fc.constantFrom(1, 2),
    clusterIPs: fc
      .tuple(
        fc.option(fc.constantFrom(...clusterIPs.IPv4)),
        fc.option(fc.constantFrom(...clusterIPs.IPv6), { freq: 1 }),
      )
      .map((pair) => pair.filter((address) => address !== null)),
    externalIPs: fc.subarray([...externalIPs], { maxLength: 2 }),
    loadBalancerIPs: fc.subarray(['192.0.2.1', '192.0.2.2', '2001:db8::2'], { maxLength: 2 }),
    ports: fc.array(port, { maxLength: 3 }).map((ports) => ports.map((each) => servicePort(each))),
    externalTrafficPolicy: policy,
    internalTrafficPolicy: policy,
    affinityTimeoutSeconds: fc.constantFrom(undefined, undefined, 60, 10_800),
    annotations: fc.constantFrom(...annotations),
  })
  .map((fields) => service(fields));

const conditions = fc.constantFrom(
  { ready: true, serving: true, terminating: false },
  { ready: false, serving: true, terminating: true },
  { ready: false, serving: false, terminating: true },
  { ready: false, serving: false, terminating: false },
);

function endpoints(prefix: string): fc.Arbitrary<readonly EndpointFact[]> {
  const one = fc
    .tuple(
      fc.integer({ min: 1, max: 6 }),
      conditions,
      fc.constantFrom('node-a', 'node-b', undefined),
      fc.constantFrom(undefined, ['zone-a'], ['zone-b'], []),
    )
    .map(([last, condition, nodeName, zoneHints]) =>
      endpoint(`${prefix}${last}`, { ...condition, nodeName, zoneHints }),
    );
  return fc.array(one, { maxLength: 5 });
}

const aSlice: fc.Arbitrary<EndpointSliceFact> = fc.constantFrom('IPv4', 'IPv6').chain((family) =>
  fc
    .record({
      key: fc.constantFrom('default/slice-1', 'default/slice-2', 'default/slice-3', 'default/slice-4'),
      service: fc.constantFrom(...names.map((name) => `default/${name}`), 'default/nobody'),
      weight: fc.constantFrom(1, 1, 0, 7),
      ports: fc.array(
        fc.record({
          name: portName(),
          protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'),
          port: fc.constantFrom(8080, 8081),
        }),
        { maxLength: 4 },
      ),
      endpoints: endpoints(family === 'IPv4' ? '10.1.0.' : 'fd00:1::'),
    })
    .map(({ endpoints: list, ...fields }) => slice(list, { ...fields, family })),
);

function portName(): fc.Arbitrary<string> {
  return fc.constantFrom('', 'a', 'b');
}

/** Another Node, which may come with an address that a Service has, or with pods there. */
const aNode: fc.Arbitrary<FactChange> = fc
  .record({
    name: fc.constantFrom('node-b', 'node-c'),
    allAddresses: fc.subarray(['192.0.2.1', '192.0.2.2', '2001:db8::1', '192.168.0.2', '10.96.0.2'], { maxLength: 2 }),
    podCIDRs: fc.constantFrom([], ['192.0.2.0/31'], ['10.1.0.0/24']),
  })
  .map((fields) => ({ change: 'set', kind: 'Node', fact: node(fields) }) as const);

const change: fc.Arbitrary<FactChange> = fc.oneof(
  { weight: 2, arbitrary: aNode },
  {
    weight: 1,
    arbitrary: fc.constantFrom('node-b', 'node-c').map((key) => ({ change: 'delete', kind: 'Node', key }) as const),
  },
  { weight: 5, arbitrary: aService.map((fact) => ({ change: 'set', kind: 'Service', fact }) as const) },
  { weight: 5, arbitrary: aSlice.map((fact) => ({ change: 'set', kind: 'EndpointSlice', fact }) as const) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(...names)
      .map((name) => ({ change: 'delete', kind: 'Service', key: `default/${name}` }) as const),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 4 })
      .map((last) => ({ change: 'delete', kind: 'EndpointSlice', key: `default/slice-${last}` }) as const),
  },
  {
    weight: 1,
    arbitrary: fc.uniqueArray(aService, { maxLength: 4, selector: (fact) => fact.key }).map(
      (facts) =>
        ({
          change: 'replace',
          kind: 'Service',
          facts: facts.map((fact) => ({ kind: 'Service', fact }) as const),
        }) as const,
    ),
  },
);

/** Failures that leave nothing done, and may pass. */
const failure: fc.Arbitrary<Step> = fc
  .constantFrom<readonly [Operation['kind'], keyof typeof errno]>(
    ['add-virtual-server', 'ENOMEM'],
    ['add-virtual-server', 'EEXIST'],
    ['add-virtual-server', 'ENOENT'],
    ['edit-virtual-server', 'ENOMEM'],
    ['edit-virtual-server', 'ESRCH'],
    ['remove-virtual-server', 'EBUSY'],
    ['add-destination', 'ENOMEM'],
    ['add-destination', 'ESRCH'],
    ['add-destination', 'EEXIST'],
    ['edit-destination', 'ENOMEM'],
    ['remove-destination', 'EPERM'],
    ['add-vip', 'ENOBUFS'],
    ['add-vip', 'EPERM'],
    ['remove-vip', 'EPERM'],
    ['add-element', 'ENOSPC'],
    ['remove-element', 'EBUSY'],
  )
  .map(([kind, code]) => ({ do: 'fail', kind, code }));

/** The first pods of each family, prepared for these VIPs. */
function tunnels(...vips: readonly string[]): CompileContext['podTunnels'] {
  return new Map(['10.1.0.1', '10.1.0.2', 'fd00:1::1'].map((pod) => [pod, { kind: 'prepared', vips }] as const));
}

/** One field is another, the rest as at the start. */
const contextFields: fc.Arbitrary<Partial<CompileContext>> = fc.constantFrom(
  {},
  { masqueradeAll: true },
  { detectsLocal: { IPv4: false, IPv6: true } },
  { podSources: cidrs('10.1.0.0/24') },
  { podSources: [] },
  { node: { name: 'node-a', zone: 'zone-b' } },
  { node: { name: 'node-a', zone: '' } },
  { nodePortAddresses: [nodeAddresses[0]] },
  { nodePortAddresses: [] },
  { nodeAddresses: new Set([...nodeAddresses, '192.0.2.2', '10.96.0.1']) },
  { broadcastAddresses: new Set(['192.0.2.1']) },
  { serviceCIDRs: cidrs('10.96.0.0/16') },
  { hasDirectReturn: true },
  { hasDirectReturn: true, podTunnels: tunnels('192.0.2.1', '2001:db8::1') },
  { hasDirectReturn: true, podTunnels: tunnels('192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2') },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.array(change, { minLength: 1, maxLength: 4 }).map((batch) => ({ do: 'change', batch }) as const),
  },
  { weight: 3, arbitrary: failure },
  { weight: 2, arbitrary: fc.constant({ do: 'restart' } as const) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('ipvs', 'link', 'filter').map((each) => ({ do: 'lose', port: each }) as const),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('meddle'),
      what: fc.constantFrom('server', 'destinations'),
      pick: fc.nat(20),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('context'), fields: contextFields }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'wait' } as const) },
);

/** A world: what happens, in order. */
export function worlds(maxLength: number): fc.Arbitrary<readonly Step[]> {
  return fc.array(step, { minLength: 1, maxLength });
}
