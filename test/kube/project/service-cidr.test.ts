import { expect, test } from 'vitest';
import { projectServiceCIDR } from '../../../src/kube/project/service-cidr.ts';
import { rawServiceCIDR } from '../objects.ts';
import { factOf, refused } from './settings.ts';

test('a ServiceCIDR has its ranges in canonical form', () => {
  const projection = projectServiceCIDR(rawServiceCIDR('kubernetes', '10.96.0.1/12', 'FD00:96::/108'));
  expect(factOf(projection)).toStrictEqual({ key: 'kubernetes', cidrs: ['10.96.0.0/12', 'fd00:96::/108'] });
});

test('an entry that is no CIDR is refused, the others count', () => {
  const projection = projectServiceCIDR(rawServiceCIDR('more', '10.0.0.0', '10.97.0.0/16'));
  expect(factOf(projection)).toStrictEqual({ key: 'more', cidrs: ['10.97.0.0/16'] });
  expect(refused(projection)).toStrictEqual(['address-invalid spec.cidrs[0]']);
});

test.each([
  [{ metadata: { name: 'x' }, spec: { cidrs: 'all' } }],
  [{ metadata: {}, spec: {} }],
  [null],
  [{ metadata: { name: 'x' }, spec: { cidrs: [{}] } }],
])('%j is malformed', (raw) => {
  expect(projectServiceCIDR(raw).result).toBe('malformed');
});
