import { isIPv4, isIPv6 } from 'node:net';
import { expect, it } from 'vitest';
import { clusterIP, endpointAddress, endpointNode, nodeName } from './world.ts';

it.each([
  ['IPv4', isIPv4],
  ['IPv6', isIPv6],
] as const)('has an address for everything in the largest cluster, %s', (family, isAddress) => {
  const size = { services: 10_000, endpoints: 100, family };
  const services = [0, 255, 256, 9_999, 10_020];
  const addresses = services.flatMap((service) => [
    clusterIP(family, service),
    ...[0, 1, 99].map((index) => endpointAddress(size, service, index)),
  ]);
  expect(addresses.filter((address) => !isAddress(address))).toEqual([]);
  expect(new Set(addresses).size).toBe(addresses.length);
});

it('writes IPv6 addresses as an API server does (RFC 5952)', () => {
  const size = { services: 10_000, endpoints: 100, family: 'IPv6' } as const;
  expect(endpointAddress(size, 0, 0)).toBe('fd00:128::1');
  expect(endpointAddress(size, 655, 35)).toBe('fd00:128::1:0');
  expect(endpointAddress(size, 10_000, 0)).toBe('fd00:128::f:4241');
});

it.each([1, 3, 10, 100])('has on this node none of the endpoints that come and go, with %i of them', (endpoints) => {
  const size = { services: 100, endpoints, family: 'IPv4' } as const;
  const nodesOf = (index: number) => Array.from({ length: 100 }, (_, service) => endpointNode(size, service, index));
  expect(nodesOf(0)).toContain(nodeName);
  expect([...nodesOf(endpoints), ...(endpoints > 2 ? nodesOf(endpoints - 1) : [])]).not.toContain(nodeName);
});
