import { expect, test } from 'vitest';

import { projectEndpointSlice } from '../../../src/kube/project/endpoint-slice.ts';
import { rawSlice } from '../objects.ts';
import { factOf, refused, settings } from './settings.ts';

test('a slice becomes a fact; absent conditions are ready, serving, not terminating', () => {
  const endpoints = [
    { addresses: ['10.1.0.2', '10.1.0.3'] },
    {
      addresses: ['10.1.0.4'],
      conditions: { ready: false, serving: true, terminating: true },
      nodeName: 'node-1',
      hints: { forZones: [{ name: 'a' }, { name: 'b' }], forNodes: [{ name: 'node-1' }] },
      targetRef: { kind: 'Pod', namespace: 'default', name: 'web-0' },
    },
  ];
  const plain = { nodeName: undefined, zoneHints: undefined, nodeHints: undefined, target: undefined };
  expect(factOf(projectEndpointSlice(rawSlice('web-1', { endpoints }), settings))).toStrictEqual({
    key: 'default/web-1',
    service: 'default/web',
    triggeredAt: undefined,
    family: 'IPv4',
    weight: 1,
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    endpoints: [
      { address: '10.1.0.2', ready: true, serving: true, terminating: false, ...plain },
      {
        address: '10.1.0.4',
        ready: false,
        serving: true,
        terminating: true,
        nodeName: 'node-1',
        zoneHints: ['a', 'b'],
        nodeHints: ['node-1'],
        target: 'web-0',
      },
    ],
  });
});

test.each([
  ['2026-01-01T00:00:00.123456789Z', Date.UTC(2026, 0, 1, 0, 0, 0, 123)],
  ['2026-01-01T01:00:00+01:00', Date.UTC(2026, 0, 1)],
  ['yesterday', undefined],
])('a slice that was changed at %s tells when', (time, triggeredAt) => {
  const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': time };
  expect(factOf(projectEndpointSlice(rawSlice('a', {}, { annotations }), settings))).toMatchObject({ triggeredAt });
});

test.each([
  ['without a Service', rawSlice('a', {}, { labels: {} })],
  ['with an empty Service name', rawSlice('a', {}, { labels: { 'kubernetes.io/service-name': '' } })],
  ['of names', rawSlice('a', { addressType: 'FQDN', endpoints: [{ addresses: ['example.com'] }] })],
  [
    'of a headless Service',
    rawSlice('a', {}, { labels: { 'kubernetes.io/service-name': 'web', 'service.kubernetes.io/headless': '' } }),
  ],
])('a slice %s is of no concern', (_title, raw) => {
  expect(projectEndpointSlice(raw, settings)).toStrictEqual({ result: 'unconcerned', key: 'default/a' });
});

test.each([
  ['of another namespace', { namespace: 'other', name: 'web-0' }, 'other/web-0'],
  ['without a namespace', { name: 'web-0' }, undefined],
  ['without a name', { namespace: 'default' }, undefined],
])('a pod %s is named so', (_title, targetRef, target) => {
  const endpoints = [{ addresses: ['10.1.0.2'], targetRef }];
  const projection = projectEndpointSlice(rawSlice('web-1', { endpoints }), settings);
  expect(factOf(projection)).toMatchObject({ endpoints: [{ target }] });
});

test.each([
  ['127.0.0.1', 'IPv4', 'endpoint-address-forbidden'],
  ['169.254.169.254', 'IPv4', 'endpoint-address-forbidden'],
  ['224.0.0.1', 'IPv4', 'endpoint-address-forbidden'],
  ['0.0.0.0', 'IPv4', 'endpoint-address-forbidden'],
  ['255.255.255.255', 'IPv4', 'endpoint-address-forbidden'],
  ['127.000.000.001', 'IPv4', 'endpoint-address-forbidden'],
  ['::1', 'IPv6', 'endpoint-address-forbidden'],
  ['::', 'IPv6', 'endpoint-address-forbidden'],
  ['fe80::1', 'IPv6', 'endpoint-address-forbidden'],
  ['FEBF::1', 'IPv6', 'endpoint-address-forbidden'],
  ['ff02::1', 'IPv6', 'endpoint-address-forbidden'],
  ['fd00:ec2::254', 'IPv6', 'endpoint-address-forbidden'],
  ['::ffff:127.0.0.1', 'IPv6', 'address-wrong-family'],
  ['fd00::1', 'IPv4', 'address-wrong-family'],
  ['10.0.0.256', 'IPv4', 'address-invalid'],
  ['web.example', 'IPv4', 'address-invalid'],
  [undefined, 'IPv4', 'address-invalid'],
])('the endpoint %s of an %s slice is left out alone: %s', (address, addressType, reason) => {
  const good = addressType === 'IPv4' ? '10.1.0.9' : 'fd00::9';
  const endpoints = [{ addresses: address === undefined ? [] : [address] }, { addresses: [good] }];
  const projection = projectEndpointSlice(rawSlice('a', { addressType, endpoints }), settings);
  expect(refused(projection)).toStrictEqual([`${reason} endpoints[0].addresses[0]`]);
  expect(factOf(projection)).toMatchObject({ endpoints: [{ address: good }] });
});

test('ports without a name, a number or a known protocol are left out', () => {
  const ports = [
    { name: 'a', port: 80 },
    { port: 81 },
    { name: 'b' },
    { name: 'c', port: 0 },
    { name: 'd', port: 82, protocol: 'ICMP' },
    { name: '', port: 83, protocol: 'UDP' },
  ];
  const projection = projectEndpointSlice(rawSlice('a', { ports }), settings);
  expect(factOf(projection)).toMatchObject({
    ports: [
      { name: 'a', protocol: 'TCP', port: 80 },
      { name: '', protocol: 'UDP', port: 83 },
    ],
  });
  expect(refused(projection)).toStrictEqual([
    'port-invalid ports[1].name',
    'port-invalid ports[2].port',
    'port-invalid ports[3].port',
    'protocol-unknown ports[4].protocol',
  ]);
});

test.each([
  [{ 'sluice.dev/weight': '5' }, 5, []],
  [{ 'service.cilium.io/weight': '7' }, 7, []],
  [{ 'sluice.dev/weight': '5', 'service.cilium.io/weight': '7' }, 5, []],
  [{ 'sluice.dev/weight': '0' }, 0, []],
  [{ 'sluice.dev/weight': '65536' }, 65_535, ['weight-invalid metadata.annotations[sluice.dev/weight]']],
  [{ 'sluice.dev/weight': '-1' }, 0, ['weight-invalid metadata.annotations[sluice.dev/weight]']],
  [{ 'sluice.dev/weight': 'heavy' }, 1, ['weight-invalid metadata.annotations[sluice.dev/weight]']],
])('the annotations %j give weight %i', (annotations, weight, refusals) => {
  const labels = { 'kubernetes.io/service-name': 'web' };
  const projection = projectEndpointSlice(rawSlice('a', {}, { labels, annotations }), settings);
  expect(factOf(projection)).toMatchObject({ weight });
  expect(refused(projection)).toStrictEqual(refusals);
});

test.each([
  ['an unknown address type', { addressType: 'IPX' }],
  ['endpoints that are no list', { endpoints: 'none' }],
  ['an endpoint that is no object', { endpoints: ['10.1.0.2'] }],
  ['a condition that is no truth value', { endpoints: [{ addresses: ['10.1.0.2'], conditions: { ready: 'yes' } }] }],
])('%s is malformed', (_title, fields) => {
  expect(projectEndpointSlice(rawSlice('a', fields), settings)).toMatchObject({
    result: 'malformed',
    key: 'default/a',
  });
});
