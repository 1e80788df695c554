/**
 * IP addresses and CIDRs as canonical text: the form in which Kubernetes objects, logs and the kernel's tools show
 * them. Parsing is our own because Node's refuses or misreads what old objects hold: `172.30.0.041` is decimal 41
 * (golang/go#30999 changed Go's parser, stored objects kept the zeros), never octal.
 */

import type { Family } from './model/facts.ts';

export interface CIDR {
  /** Canonical, host bits cleared. */
  readonly address: string;
  readonly prefixLength: number;
  readonly family: Family;
}

/** The canonical text of an address (RFC 5952 for IPv6), undefined when it is none. IPv4-mapped IPv6 becomes IPv4. */
export function parseAddress(text: string): string | undefined {
  if (text.includes(':')) {
    const bytes = parseIPv6(text);
    return bytes === undefined ? undefined : formatAddress(bytes);
  }
  const bytes = parseIPv4(text);
  return bytes === undefined ? undefined : formatAddress(bytes);
}

/** The family of a canonical address. */
export function familyOf(address: string): Family {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

/** Writes a canonical address in network byte order; returns the number of bytes written, 4 or 16. */
export function writeAddress(address: string, buffer: Uint8Array, offset: number): number {
  if (address.includes(':')) {
    buffer.set(addressBytes(address), offset);
    return 16;
  }
  let position = offset;
  let octet = 0;
  for (let index = 0; index < address.length; index += 1) {
    const code = address.charCodeAt(index);
    if (code === DOT) {
      buffer[position] = octet;
      position += 1;
      octet = 0;
    } else {
      octet = octet * 10 + code - ZERO;
    }
  }
  buffer[position] = octet;
  return 4;
}

/** Reads an address in network byte order as canonical text. */
export function readAddress(buffer: Uint8Array, offset: number, family: Family): string {
  if (family === 'IPv4') {
    return `${buffer[offset]}.${buffer[offset + 1]}.${buffer[offset + 2]}.${buffer[offset + 3]}`;
  }
  return formatIPv6(buffer.subarray(offset, offset + 16));
}

/** The bytes of a canonical address, 4 or 16. Throws RangeError on anything else: callers hold canonical text. */
export function addressBytes(address: string): Uint8Array {
  const bytes = address.includes(':') ? parseIPv6(address) : parseIPv4(address);
  if (bytes === undefined) {
    throw new RangeError(`expected an IP address, found ${JSON.stringify(address)}`);
  }
  return bytes;
}

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export function formatEndpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** A CIDR, or undefined. Host bits are cleared: old objects hold `10.0.0.1/8`. */
export function parseCIDR(text: string): CIDR | undefined {
  const slash = text.indexOf('/');
  const prefix = /^\d{1,3}$/.exec(text.slice(slash + 1));
  const canonical = slash < 0 ? undefined : parseAddress(text.slice(0, slash));
  if (prefix === null || canonical === undefined) {
    return undefined;
  }
  const family = familyOf(canonical);
  const mapped = family === 'IPv4' && text.slice(0, slash).includes(':');
  const prefixLength = Number(prefix[0]) - (mapped ? 96 : 0);
  if (prefixLength < 0 || prefixLength > addressBits(family)) {
    return undefined;
  }
  return { address: formatAddress(maskBytes(addressBytes(canonical), prefixLength)), prefixLength, family };
}

export function formatCIDR(cidr: CIDR): string {
  return `${cidr.address}/${cidr.prefixLength}`;
}

/** 32 or 128. */
export function addressBits(family: Family): 32 | 128 {
  return family === 'IPv4' ? 32 : 128;
}

export function cidrContains(cidr: CIDR, address: string): boolean {
  if (familyOf(address) !== cidr.family) {
    return false;
  }
  return networkOf(address, cidr.prefixLength) === cidr.address;
}

/** A canonical address with its host bits cleared. */
export function networkOf(address: string, prefixLength: number): string {
  return formatAddress(maskBytes(addressBytes(address), prefixLength));
}

/** A canonical address with its host bits set: the broadcast address of an IPv4 network. */
export function lastAddressOf(address: string, prefixLength: number): string {
  const bytes = addressBytes(address);
  const network = maskBytes(bytes, prefixLength);
  const mask = maskBytes(
    bytes.map(() => 0xff),
    prefixLength,
  );
  return formatAddress(network.map((byte, index) => byte | (~(mask[index] ?? 0) & 0xff)));
}

const DOT = 46;
const ZERO = 48;

function parseIPv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) {
    return undefined;
  }
  const bytes = new Uint8Array(4);
  for (const [index, part] of parts.entries()) {
    const value = /^\d{1,4}$/.test(part) ? Number(part) : 256;
    if (value > 255) {
      return undefined;
    }
    bytes[index] = value;
  }
  return bytes;
}

function parseIPv6(text: string): Uint8Array | undefined {
  const sides = text.split('::');
  if (sides.length > 2) {
    return undefined;
  }
  const head = parseGroups(sides[0] ?? '', sides.length === 1);
  const tail = sides.length === 2 ? parseGroups(sides[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) {
    return undefined;
  }
  const missing = 16 - head.length - tail.length;
  if (sides.length === 1 ? missing !== 0 : missing < 2) {
    return undefined;
  }
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** The bytes of colon-separated groups; the last may be a dotted IPv4 address where that may stand. */
function parseGroups(text: string, mayEndInIPv4: boolean): number[] | undefined {
  if (text === '') {
    return [];
  }
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (group.includes('.')) {
      const dotted = mayEndInIPv4 && index === groups.length - 1 ? parseIPv4(group) : undefined;
      if (dotted === undefined) {
        return undefined;
      }
      bytes.push(...dotted);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) {
        return undefined;
      }
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) {
    return readAddress(bytes, 0, 'IPv4');
  }
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? readAddress(bytes, 12, 'IPv4') : formatIPv6(bytes);
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups becomes `::`. */
function formatIPv6(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let index = 0; index < 16; index += 2) {
    groups.push(((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0));
  }
  const run = longestZeroRun(groups);
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (run.length < 2) {
    return hex(groups);
  }
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`;
}

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let index = 0; index <= groups.length; index += 1) {
    if (groups[index] !== 0) {
      if (index - start > best.length) {
        best = { start, length: index - start };
      }
      start = index + 1;
    }
  }
  return best;
}

function maskBytes(bytes: Uint8Array, prefixLength: number): Uint8Array {
  return bytes.map((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefixLength - index * 8));
    return byte & (0xff00 >> bits) & 0xff;
  });
}
