/** The cluster that the benchmark makes up: addresses and names by number, so that both sides know them. */

import type { Protocol } from '../../../src/core/model/facts.ts';
import type { Size } from '../result.ts';

export const nodeName = 'node-0';
export const nodeCount = 100;
export const namespace = 'bench';
export const servicePort = 80;
export const endpointPort = 8080;

/** The node's own addresses, on a dummy interface: VIPs are seen from them. */
export const nodeAddresses = { IPv4: '192.168.50.1', IPv6: 'fd00:50::1' } as const;
/** Where endpoints live: with it, pods are told from other sources, as in a real cluster. */
export const clusterCIDRs = ['10.128.0.0/9', 'fd00:128::/32'] as const;

export function serviceName(index: number): string {
  return `service-${index}`;
}

export function clusterIP(family: Size['family'], index: number): string {
  const number = index + 1;
  return family === 'IPv4'
    ? `10.${96 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`
    : `fd00:96::${number.toString(16)}`;
}

export function endpointAddress(size: Size, service: number, index: number): string {
  const number = service * size.endpoints + index + 1;
  const [high, low] = [number >> 16, number & 65_535];
  return size.family === 'IPv4'
    ? `10.${128 + high}.${low >> 8}.${low & 255}`
    : `fd00:128::${high === 0 ? '' : `${high.toString(16)}:`}${low.toString(16)}`;
}

/**
 * One in a hundred is on this node, none but the first of a Service: to the agent such an endpoint is more than a destination,
 * and those that come and go are to be one operation each.
 */
export function endpointNode(size: Size, service: number, index: number): string {
  const node = (service * size.endpoints + index) % nodeCount;
  return `node-${node === 0 && index > 0 ? 1 : node}`;
}

/** Every other Service is UDP where both protocols are asked for. */
export function protocolOf(protocols: 'TCP' | 'both', service: number): Protocol {
  return protocols === 'both' && service % 2 === 1 ? 'UDP' : 'TCP';
}
