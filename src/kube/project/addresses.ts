/** Addresses as facts hold them, and the ranges no Service may lead to or be reached at. */

import { parseAddress } from '../../core/address.ts';

/** Canonical text, undefined when it is no address. Nearly all addresses are canonical IPv4 already and pass unread. */
export function canonicalAddress(text: string): string | undefined {
  return isCanonicalIPv4(text) ? text : parseAddress(text);
}

export type ForbiddenRange = 'unspecified' | 'loopback' | 'link-local' | 'multicast' | 'broadcast' | 'metadata';

/**
 * The range a canonical address lies in, if it is one that leads to the node itself or its link (CVE-2021-25737,
 * kubernetes/kubernetes#102106): the API server refuses these, a proxy must not rely on that. Instance metadata is
 * link-local in IPv4; `fd00:ec2::254` is its IPv6 address on EC2.
 */
export function forbiddenRange(address: string): ForbiddenRange | undefined {
  return address.includes(':') ? forbiddenIPv6(address) : forbiddenIPv4(address);
}

const ZERO = 48;
const NINE = 57;
const DOT = 46;

/** Four numbers up to 255 without leading zeros. */
function isCanonicalIPv4(text: string): boolean {
  let octets = 0;
  let value = -1;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === DOT) {
      if (value < 0) {
        return false;
      }
      octets += 1;
      value = -1;
    } else if (code >= ZERO && code <= NINE && value !== 0) {
      value = (value < 0 ? 0 : value * 10) + code - ZERO;
      if (value > 255) {
        return false;
      }
    } else {
      return false;
    }
  }
  return octets === 3 && value >= 0;
}

function forbiddenIPv4(address: string): ForbiddenRange | undefined {
  const first = Number.parseInt(address, 10);
  if (first === 127) {
    return 'loopback';
  }
  if (first >= 224 && first <= 239) {
    return 'multicast';
  }
  if (address.startsWith('169.254.')) {
    return 'link-local';
  }
  if (address === '0.0.0.0') {
    return 'unspecified';
  }
  return address === '255.255.255.255' ? 'broadcast' : undefined;
}

function forbiddenIPv6(address: string): ForbiddenRange | undefined {
  if (address === '::') {
    return 'unspecified';
  }
  if (address === '::1') {
    return 'loopback';
  }
  if (address.startsWith('ff') && address.indexOf(':') === 4) {
    return 'multicast';
  }
  if (/^fe[89ab][0-9a-f]:/.test(address)) {
    return 'link-local';
  }
  return address === 'fd00:ec2::254' ? 'metadata' : undefined;
}
