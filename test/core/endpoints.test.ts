import { describe, expect, it } from 'vitest';
import { type Backend, gatherBackends, policiesOf, selectBackends } from '../../src/core/endpoints.ts';
import type { EndpointFact, EndpointSliceFact } from '../../src/core/model/facts.ts';
import { context } from '../support/context.ts';
import { endpoint, localEndpoint, notReady, service, servicePort, slice, terminating } from '../support/facts.ts';

const here = context().node;
const port = servicePort();
const serving = { ready: false, serving: true, terminating: false } as const;

function gather(...slices: readonly EndpointSliceFact[]): readonly Backend[] {
  return gatherBackends(slices, 'IPv4', port, here);
}

function keys(backends: readonly Backend[]): readonly string[] {
  return backends.map((backend) => backend.address.replace('10.1.0.', ''));
}

interface Case {
  readonly title: string;
  readonly endpoints: readonly EndpointFact[];
  readonly policies?: { readonly usesCluster: boolean; readonly usesLocal: boolean };
  readonly node?: { readonly name: string; readonly zone: string };
  readonly expected: readonly [cluster: string, local: string, hasAny: boolean];
}

const both = { usesCluster: true, usesLocal: true };
const clusterOnly = { usesCluster: true, usesLocal: false };
const localOnly = { usesCluster: false, usesLocal: true };
const zoneA = { zoneHints: ['zone-a'] };
const zoneB = { zoneHints: ['zone-b'] };
const nodeA = { nodeHints: ['node-a'] };
const nodeB = { nodeHints: ['node-b'] };

function check({ endpoints, policies = both, node = here, expected }: Case): void {
  const { cluster, local, hasAny } = selectBackends(gather(slice(endpoints)), policies, node);
  expect([keys(cluster).join(' '), keys(local).join(' '), hasAny]).toEqual(expected);
}

describe('traffic policies', () => {
  it.each<Case>([
    { title: 'no endpoints: none, refused', endpoints: [], expected: ['', '', false] },
    {
      title: 'Cluster: every ready endpoint',
      endpoints: [localEndpoint('10.1.0.1'), endpoint('10.1.0.2')],
      policies: clusterOnly,
      expected: ['1 2', '', true],
    },
    {
      title: 'Local: the ready endpoints of this node',
      endpoints: [localEndpoint('10.1.0.1'), endpoint('10.1.0.2')],
      policies: localOnly,
      expected: ['', '1', true],
    },
    {
      title: 'both at once',
      endpoints: [localEndpoint('10.1.0.1'), endpoint('10.1.0.2'), localEndpoint('10.1.0.3')],
      expected: ['1 2 3', '1 3', true],
    },
    {
      title: 'Local without local endpoints: none, dropped since others exist',
      endpoints: [endpoint('10.1.0.2')],
      policies: localOnly,
      expected: ['', '', true],
    },
    {
      title: 'Local with a terminating endpoint elsewhere: still dropped, not refused',
      endpoints: [endpoint('10.1.0.2', terminating)],
      policies: localOnly,
      expected: ['', '', true],
    },
    {
      title: 'Local with dead endpoints alone: refused',
      endpoints: [localEndpoint('10.1.0.1', notReady), endpoint('10.1.0.2', serving)],
      policies: localOnly,
      expected: ['', '', false],
    },
    {
      title: 'an endpoint without a node name is remote',
      endpoints: [endpoint('10.1.0.1', { nodeName: undefined })],
      expected: ['1', '', true],
    },
    {
      title: 'a node without a name of its own owns no nameless endpoint',
      endpoints: [endpoint('10.1.0.1', { nodeName: undefined })],
      node: { name: '', zone: '' },
      expected: ['1', '', true],
    },
    {
      title: 'Cluster with endpoints neither ready nor serving while terminating: refused',
      endpoints: [endpoint('10.1.0.1', notReady), endpoint('10.1.0.2', serving)],
      policies: clusterOnly,
      expected: ['', '', false],
    },
    {
      title: 'neither policy: nothing',
      endpoints: [endpoint('10.1.0.1')],
      policies: { usesCluster: false, usesLocal: false },
      expected: ['', '', false],
    },
  ])('$title', check);
});

describe('the fallback to terminating endpoints', () => {
  it.each<Case>([
    {
      title: 'is not taken while a ready endpoint exists',
      endpoints: [endpoint('10.1.0.1'), endpoint('10.1.0.2', terminating)],
      policies: clusterOnly,
      expected: ['1', '', true],
    },
    {
      title: 'takes those that serve',
      endpoints: [
        endpoint('10.1.0.1', terminating),
        endpoint('10.1.0.2', { ...terminating, serving: false }),
        endpoint('10.1.0.3', notReady),
      ],
      policies: clusterOnly,
      expected: ['1', '', true],
    },
    {
      title: 'is taken by Local alone when only remote endpoints are ready',
      endpoints: [localEndpoint('10.1.0.1', terminating), endpoint('10.1.0.2')],
      expected: ['2', '1', true],
    },
    {
      title: 'is taken by both, each with its own list',
      endpoints: [localEndpoint('10.1.0.1', terminating), endpoint('10.1.0.2', terminating)],
      expected: ['1 2', '1', true],
    },
    {
      title: 'is taken by neither when a local endpoint is ready',
      endpoints: [localEndpoint('10.1.0.1'), localEndpoint('10.1.0.2', terminating)],
      expected: ['1', '1', true],
    },
    {
      title: 'ignores topology hints',
      endpoints: [
        endpoint('10.1.0.1', { ...terminating, ...zoneB }),
        endpoint('10.1.0.2', { ...terminating, ...zoneA }),
      ],
      policies: clusterOnly,
      expected: ['1 2', '', true],
    },
    {
      title: 'never concerns a ready endpoint that terminates (publishNotReadyAddresses)',
      endpoints: [endpoint('10.1.0.1', { ready: true, serving: true, terminating: true })],
      policies: clusterOnly,
      expected: ['1', '', true],
    },
  ])('$title', check);
});

describe('topology hints', () => {
  it.each<Case>([
    {
      title: 'keep the endpoints of this zone',
      endpoints: [
        endpoint('10.1.0.1', zoneA),
        endpoint('10.1.0.2', zoneB),
        endpoint('10.1.0.3', { zoneHints: ['zone-b', 'zone-a'] }),
      ],
      expected: ['1 3', '', true],
    },
    {
      title: 'are ignored when one ready endpoint has none',
      endpoints: [endpoint('10.1.0.1', zoneA), endpoint('10.1.0.2', zoneB), endpoint('10.1.0.3')],
      expected: ['1 2 3', '', true],
    },
    {
      title: 'are ignored when one ready endpoint has an empty list',
      endpoints: [endpoint('10.1.0.1', zoneA), endpoint('10.1.0.2', { zoneHints: [] })],
      expected: ['1 2', '', true],
    },
    {
      title: 'may be missing on endpoints that are not ready',
      endpoints: [
        endpoint('10.1.0.1', zoneA),
        endpoint('10.1.0.2', zoneB),
        endpoint('10.1.0.3', notReady),
        endpoint('10.1.0.4', terminating),
      ],
      expected: ['1', '', true],
    },
    {
      title: 'are ignored when none names this zone',
      endpoints: [endpoint('10.1.0.1', zoneB), endpoint('10.1.0.2', { zoneHints: ['zone-c'] })],
      expected: ['1 2', '', true],
    },
    {
      title: 'are ignored when only an endpoint that is not ready names this zone',
      endpoints: [endpoint('10.1.0.1', zoneB), endpoint('10.1.0.2', { ...notReady, ...zoneA })],
      expected: ['1', '', true],
    },
    {
      title: 'are ignored on a node without a zone, even by a hint for no zone',
      endpoints: [endpoint('10.1.0.1', { zoneHints: [''] }), endpoint('10.1.0.2', zoneA)],
      node: { name: 'node-a', zone: '' },
      expected: ['1 2', '', true],
    },
    {
      title: 'for this node go before those for its zone',
      endpoints: [endpoint('10.1.0.1', { ...nodeA, ...zoneB }), endpoint('10.1.0.2', { ...nodeB, ...zoneA })],
      expected: ['1', '', true],
    },
    {
      title: 'for the zone count when none is for this node',
      endpoints: [endpoint('10.1.0.1', { ...nodeB, ...zoneA }), endpoint('10.1.0.2', { ...nodeB, ...zoneB })],
      expected: ['1', '', true],
    },
    {
      title: 'for the zone count when one endpoint has no hint for a node',
      endpoints: [endpoint('10.1.0.1', { ...nodeA, ...zoneB }), endpoint('10.1.0.2', zoneA)],
      expected: ['2', '', true],
    },
    {
      title: 'for this node alone are ignored when one endpoint has none',
      endpoints: [endpoint('10.1.0.1', nodeA), endpoint('10.1.0.2')],
      expected: ['1 2', '', true],
    },
    {
      title: 'for nodes count on a node without a zone',
      endpoints: [endpoint('10.1.0.1', nodeA), endpoint('10.1.0.2', nodeB)],
      node: { name: 'node-a', zone: '' },
      expected: ['1', '', true],
    },
    {
      title: 'never filter the local list',
      endpoints: [localEndpoint('10.1.0.1', zoneB), endpoint('10.1.0.2', zoneA)],
      expected: ['2', '1', true],
    },
  ])('$title', check);
});

describe('gatherBackends', () => {
  it('joins by port name and protocol, never by number', () => {
    const named = slice([endpoint('10.1.0.1')], {
      ports: [
        { name: 'dns', protocol: 'TCP', port: 53 },
        { name: 'dns', protocol: 'UDP', port: 5353 },
        { name: '', protocol: 'TCP', port: 80 },
      ],
    });
    const found = gatherBackends([named], 'IPv4', { name: 'dns', protocol: 'UDP' }, here);
    expect(found.map((backend) => backend.key)).toEqual(['10.1.0.1:5353']);
    expect(gatherBackends([named], 'IPv4', { name: 'http', protocol: 'TCP' }, here)).toEqual([]);
  });

  it('follows a named port whose number differs per slice', () => {
    const one = slice([endpoint('10.1.0.1')], {
      key: 'default/web-1',
      ports: [{ name: '', protocol: 'TCP', port: 1 }],
    });
    const two = slice([endpoint('10.1.0.2')], {
      key: 'default/web-2',
      ports: [{ name: '', protocol: 'TCP', port: 2 }],
    });
    expect(gather(one, two).map((backend) => backend.key)).toEqual(['10.1.0.1:1', '10.1.0.2:2']);
  });

  it('takes one family', () => {
    const four = slice([endpoint('10.1.0.1')]);
    const six = slice([endpoint('fd00::1')], { family: 'IPv6' });
    expect(gather(four, six).map((backend) => backend.address)).toEqual(['10.1.0.1']);
    expect(gatherBackends([four, six], 'IPv6', port, here).map((backend) => backend.key)).toEqual(['[fd00::1]:8080']);
  });

  it('orders by the text of address and port', () => {
    const addresses = ['1.1.1.2', '1.1.1.1', '1.1.1.11', '1.1.1.10'];
    const found = gather(
      slice(
        addresses.map((address) => endpoint(address)),
        { ports: [{ name: '', protocol: 'TCP', port: 11 }] },
      ),
    );
    expect(found.map((backend) => backend.key)).toEqual(['1.1.1.10:11', '1.1.1.11:11', '1.1.1.1:11', '1.1.1.2:11']);
  });

  it('lets the last of duplicates win, in one slice and over slices', () => {
    const first = slice([endpoint('10.1.0.1'), endpoint('10.1.0.1', notReady)]);
    expect(gather(first).map((backend) => backend.endpoint.ready)).toEqual([false]);
    const second = slice([localEndpoint('10.1.0.1')], { key: 'default/web-2', weight: 5 });
    expect(gather(first, second)).toMatchObject([{ isLocal: true, weight: 5, endpoint: { ready: true } }]);
  });

  it('never lets a terminating duplicate replace another', () => {
    const old = endpoint('10.1.0.1', terminating);
    const fresh = endpoint('10.1.0.1');
    expect(gather(slice([fresh, old])).map((backend) => backend.endpoint)).toEqual([fresh]);
    expect(gather(slice([old, fresh])).map((backend) => backend.endpoint)).toEqual([fresh]);
  });

  it('carries the weight of the slice, 0 included', () => {
    const heavy = slice([endpoint('10.1.0.1')], { weight: 7 });
    const none = slice([endpoint('10.1.0.2')], { key: 'default/web-2', weight: 0 });
    expect(gather(heavy, none).map((backend) => backend.weight)).toEqual([7, 0]);
  });
});

describe('policiesOf', () => {
  const exposures = [
    { title: 'node port', fields: {}, nodePort: 30_080 },
    { title: 'load-balancer IP', fields: { loadBalancerIPs: ['192.0.2.1'] }, nodePort: 0 },
    { title: 'external IP', fields: { externalIPs: ['192.0.2.1'] }, nodePort: 0 },
  ];

  it.each(exposures)('takes both lists for iTP=Local with a $title', ({ fields, nodePort }) => {
    const found = policiesOf(service({ ...fields, internalTrafficPolicy: 'Local' }), servicePort({ nodePort }));
    expect(found).toEqual({ usesCluster: true, usesLocal: true });
  });

  it.each(exposures)('takes both lists for eTP=Local with a $title', ({ fields, nodePort }) => {
    const found = policiesOf(service({ ...fields, externalTrafficPolicy: 'Local' }), servicePort({ nodePort }));
    expect(found).toEqual({ usesCluster: true, usesLocal: true });
  });

  it('ignores eTP=Local of a Service that is not reached from outside', () => {
    const found = policiesOf(service({ externalTrafficPolicy: 'Local' }), servicePort());
    expect(found).toEqual({ usesCluster: true, usesLocal: false });
  });

  it('takes the local list alone for iTP=Local of a Service that is not reached from outside', () => {
    const found = policiesOf(service({ internalTrafficPolicy: 'Local' }), servicePort());
    expect(found).toEqual({ usesCluster: false, usesLocal: true });
  });
});
