import { describe, expect, test } from 'vitest';

import { projectService } from '../../../src/kube/project/service.ts';
import { rawService } from '../objects.ts';
import { factOf, refused, settings } from './settings.ts';

test('a plain Service becomes a fact', () => {
  const raw = rawService('web', {}, { creationTimestamp: '2026-01-01T00:00:00Z' });
  expect(factOf(projectService(raw, settings))).toStrictEqual({
    key: 'default/web',
    namespace: 'default',
    name: 'web',
    uid: '',
    createdAt: Date.UTC(2026, 0, 1),
    type: 'ClusterIP',
    clusterIPs: ['10.96.0.1'],
    externalIPs: [],
    loadBalancerIPs: [],
    loadBalancerSourceRanges: [],
    ports: [{ name: 'http', protocol: 'TCP', port: 80, nodePort: 0 }],
    externalTrafficPolicy: 'Cluster',
    internalTrafficPolicy: 'Cluster',
    affinityTimeoutSeconds: undefined,
    healthCheckNodePort: 0,
    annotations: {},
  });
});

describe('of no concern (#112185) is', () => {
  const proxyName = (value: string): object => ({ labels: { 'service.kubernetes.io/service-proxy-name': value } });
  test.each([
    ['a headless Service', rawService('a', { clusterIP: 'None' })],
    ['one without an address', rawService('a', { clusterIP: '' })],
    ['an ExternalName, even with an address', rawService('a', { type: 'ExternalName' })],
    ['one with the headless label', rawService('a', {}, { labels: { 'service.kubernetes.io/headless': '' } })],
    ["another proxy's", rawService('a', {}, proxyName('other'))],
    ['one with an empty proxy name', rawService('a', {}, proxyName(''))],
  ])('%s', (_title, raw) => {
    expect(projectService(raw, settings)).toStrictEqual({ result: 'unconcerned', key: 'default/a' });
  });

  test('not one with a proxy name of our own', () => {
    const own = { ...settings, ownProxyNames: ['kube-router'] };
    expect(projectService(rawService('a', {}, proxyName('kube-router')), own).result).toBe('fact');
    expect(projectService(rawService('a', {}, proxyName('other')), own).result).toBe('unconcerned');
    expect(projectService(rawService('a'), own).result).toBe('fact');
  });
});

const dual = { clusterIPs: ['10.96.0.1', 'fd00::1'], ipFamilies: ['IPv4', 'IPv6'] };

/** What is written, what the fact holds of it, what is refused. */
const parts: readonly (readonly [string, object, object, readonly string[]])[] = [
  ['both families', dual, { clusterIPs: ['10.96.0.1', 'fd00::1'] }, []],
  ['no ipFamilies: clusterIP alone', { ...dual, ipFamilies: null }, { clusterIPs: ['10.96.0.1'] }, []],
  ['IPv6 in capitals', { clusterIPs: ['FD00:0::00A'], ipFamilies: ['IPv6'] }, { clusterIPs: ['fd00::a'] }, []],
  ['leading zeros are decimal', { clusterIPs: ['172.30.0.041'] }, { clusterIPs: ['172.30.0.41'] }, []],
  [
    'an address of another family than announced',
    { clusterIPs: ['fd00::1'] },
    { clusterIPs: [] },
    ['address-wrong-family spec.clusterIPs[0]'],
  ],
  [
    'externalIPs',
    { externalIPs: ['192.0.2.1', 'nonsense', 'fd00::5', '127.0.0.1', '169.254.169.254', '192.0.2.1'] },
    { externalIPs: ['192.0.2.1'] },
    [
      'address-invalid spec.externalIPs[1]',
      'address-wrong-family spec.externalIPs[2]',
      'address-forbidden spec.externalIPs[3]',
      'address-forbidden spec.externalIPs[4]',
    ],
  ],
  [
    'ports out of range and of unknown protocol',
    {
      ports: [
        { name: 'a', port: 0 },
        { name: 'b', port: 65_536 },
        { name: 'c', port: 53, protocol: 'DCCP' },
        { port: 443, nodePort: 70_000 },
        { name: 'd', port: 1.5 },
      ],
    },
    { ports: [{ name: '', protocol: 'TCP', port: 443, nodePort: 0 }] },
    [
      'port-invalid spec.ports[0].port',
      'port-invalid spec.ports[1].port',
      'protocol-unknown spec.ports[2].protocol',
      'port-invalid spec.ports[3].nodePort',
      'port-invalid spec.ports[4].port',
    ],
  ],
  ['affinity by default', { sessionAffinity: 'ClientIP' }, { affinityTimeoutSeconds: 10_800 }, []],
  ['affinity of a day', affinity(86_400), { affinityTimeoutSeconds: 86_400 }, []],
  [
    'affinity of more than a day',
    affinity(86_401),
    { affinityTimeoutSeconds: 10_800 },
    ['affinity-timeout-invalid spec.sessionAffinityConfig.clientIP.timeoutSeconds'],
  ],
  [
    'a timeout without affinity',
    { ...affinity(5), sessionAffinity: 'None' },
    { affinityTimeoutSeconds: undefined },
    [],
  ],
  [
    'a health check port only counts with a load balancer and policy Local',
    { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 31_000 },
    { healthCheckNodePort: 31_000, externalTrafficPolicy: 'Local', type: 'LoadBalancer' },
    [],
  ],
  [
    'a health check port without policy Local',
    { type: 'LoadBalancer', healthCheckNodePort: 31_000 },
    { healthCheckNodePort: 0 },
    [],
  ],
  [
    'an unknown policy',
    { internalTrafficPolicy: 'PreferLocal' },
    { internalTrafficPolicy: 'Cluster' },
    ['object-malformed spec.internalTrafficPolicy'],
  ],
  [
    'source ranges',
    { loadBalancerSourceRanges: [' 10.1.2.3/8 ', '203.0.113.000/025', 'fd00::/8'] },
    { loadBalancerSourceRanges: ['10.0.0.0/8', '203.0.113.0/25', 'fd00::/8'] },
    [],
  ],
  [
    'a broken source range beside a valid one of its family',
    { loadBalancerSourceRanges: ['10.0.0.0/8', '10.0.0.0/33'] },
    { loadBalancerSourceRanges: ['10.0.0.0/8'] },
    ['source-range-invalid spec.loadBalancerSourceRanges[1]'],
  ],
  [
    'a broken source range alone closes its family',
    { loadBalancerSourceRanges: ['10.0.0.0/33', 'fd00::/8'] },
    { loadBalancerSourceRanges: ['fd00::/8', '0.0.0.0/32'] },
    ['source-range-invalid spec.loadBalancerSourceRanges[0]'],
  ],
  [
    'a source range that could mean either family closes both',
    { loadBalancerSourceRanges: ['office'] },
    { loadBalancerSourceRanges: ['0.0.0.0/32', '::/128'] },
    ['source-range-invalid spec.loadBalancerSourceRanges[0]'],
  ],
];

test.each(parts)('spec: %s', (_title, spec, expected, refusals) => {
  const projection = projectService(rawService('web', spec), settings);
  expect(refused(projection)).toStrictEqual(refusals);
  expect(factOf(projection)).toMatchObject(expected);
});

test('of a load balancer only addresses with ipMode VIP count (S18)', () => {
  const ingress = [
    { ip: '192.0.2.1' },
    { ip: '192.0.2.2', ipMode: 'VIP' },
    { ip: '192.0.2.3', ipMode: 'Proxy' },
    { hostname: 'lb.example' },
    { ip: '' },
  ];
  const projection = projectService({ ...rawService('web', dual), status: { loadBalancer: { ingress } } }, settings);
  expect(factOf(projection)).toMatchObject({ loadBalancerIPs: ['192.0.2.1', '192.0.2.2'] });
  expect(refused(projection)).toStrictEqual([]);
});

test('only annotations of kube-router and sluice are kept, and only printable ones', () => {
  const annotations = {
    'kube-router.io/service.scheduler': 'lc',
    'sluice.dev/scheduler': 'l\0c',
    'sluice.dev/note': 'x'.repeat(1_025),
    'example.com/other': 'y',
  };
  const projection = projectService(rawService('web', {}, { annotations }), settings);
  expect(factOf(projection)).toMatchObject({ annotations: { 'kube-router.io/service.scheduler': 'lc' } });
  expect(Object.keys((factOf(projection) as { annotations: object }).annotations)).toHaveLength(1);
  expect(refused(projection)).toStrictEqual([
    'annotation-value-invalid metadata.annotations[sluice.dev/scheduler]',
    'annotation-value-invalid metadata.annotations[sluice.dev/note]',
  ]);
});

test.each([
  ['no object', 7, '', 'object'],
  ['no name', { metadata: { namespace: 'a' } }, '', 'metadata.name'],
  ['no namespace', { metadata: { name: 'a' } }, '', 'metadata.namespace'],
  ['no spec', { metadata: { name: 'a', namespace: 'b' } }, 'b/a', 'spec'],
  ['ports that are no list', rawService('a', { ports: {} }), 'default/a', 'spec.ports'],
  ['a port that is no object', rawService('a', { ports: [80] }), 'default/a', 'spec.ports[0]'],
  ['an unknown type', rawService('a', { type: 'Anycast' }), 'default/a', 'spec.type'],
])('%s is malformed', (_title, raw, key, subject) => {
  expect(projectService(raw, settings)).toMatchObject({
    result: 'malformed',
    key,
    refusals: [{ reason: 'object-malformed', subject }],
  });
});

function affinity(timeoutSeconds: number): object {
  return { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds } } };
}
