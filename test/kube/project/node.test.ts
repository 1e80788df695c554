import { expect, test } from 'vitest';

import { projectNode } from '../../../src/kube/project/node.ts';
import { rawNode } from '../objects.ts';
import { factOf, refused, settings } from './settings.ts';

test('a bare Node has no zone and no addresses and is eligible', () => {
  expect(factOf(projectNode(rawNode('node-1'), settings))).toStrictEqual({
    name: 'node-1',
    zone: '',
    addresses: [],
    allAddresses: [],
    podCIDRs: [],
    eligible: true,
  });
});

const internal4 = { type: 'InternalIP', address: '10.0.0.1' };
const internal6 = { type: 'InternalIP', address: 'fd00::1' };
const external4 = { type: 'ExternalIP', address: '192.0.2.1' };
const external6 = { type: 'ExternalIP', address: '2001:db8::1' };

test.each([
  [[external4, internal4], ['10.0.0.1']],
  [
    [internal6, internal4],
    ['fd00::1', '10.0.0.1'],
  ],
  [
    [internal4, external6],
    ['10.0.0.1', '2001:db8::1'],
  ],
  [
    [external6, external4],
    ['2001:db8::1', '192.0.2.1'],
  ],
  [[internal4, { type: 'InternalIP', address: '10.0.0.2' }], ['10.0.0.1']],
  [[{ type: 'Hostname', address: 'node-1' }, external4], ['192.0.2.1']],
])('the addresses %j give %j', (addresses, expected) => {
  const projection = projectNode(rawNode('node-1', { status: { addresses } }), settings);
  expect(factOf(projection)).toMatchObject({ addresses: expected });
});

test('every InternalIP and ExternalIP is kept, host names are not', () => {
  const addresses = [external4, { type: 'Hostname', address: '10.0.0.9' }, internal4, internal6, internal4];
  const projection = projectNode(rawNode('node-1', { status: { addresses } }), settings);
  expect(factOf(projection)).toMatchObject({ allAddresses: ['10.0.0.1', 'fd00::1', '192.0.2.1'] });
});

test('an unreadable address is refused alone', () => {
  const addresses = [{ type: 'InternalIP', address: 'x' }, external4];
  const projection = projectNode(rawNode('node-1', { status: { addresses } }), settings);
  expect(refused(projection)).toStrictEqual(['address-invalid status.addresses[0]']);
  expect(factOf(projection)).toMatchObject({ addresses: ['192.0.2.1'] });
});

test.each([
  [{ podCIDRs: ['10.1.0.5/24', 'fd00:1::/64'], podCIDR: '10.1.0.0/24' }, ['10.1.0.0/24', 'fd00:1::/64']],
  [{ podCIDR: '10.1.0.0/24' }, ['10.1.0.0/24']],
  [{ podCIDRs: ['x'] }, []],
])('the spec %j gives the pod ranges %j', (spec, podCIDRs) => {
  expect(factOf(projectNode(rawNode('node-1', { spec }), settings))).toMatchObject({ podCIDRs });
});

test.each([
  [{ metadata: { name: 'node-1', deletionTimestamp: '2026-01-01T00:00:00Z' } }],
  [{ spec: { taints: [{ key: 'other' }, { key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }] } }],
])('a Node on its way out is not eligible: %j', (fields) => {
  expect(factOf(projectNode(rawNode('node-1', fields), settings))).toMatchObject({ eligible: false });
});
