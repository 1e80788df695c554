/** The kinds of value that flags take: how each is read, shown, and explained when it is wrong. */

import { type CIDR, familyOf, formatCIDR, formatEndpoint, parseAddress, parseCIDR } from '../../core/address.ts';
import type { BindAddress, NodePortAddresses } from './config.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { nearest } from './nearest.ts';
import { quote } from './problem.ts';

export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  /** `remedy` is an imperative sentence without its full stop. */
  | { readonly ok: false; readonly remedy: string };

export interface ValueKind<Value> {
  /** Shown after the flag in help; '' for a switch. */
  readonly placeholder: string;
  /** What stands after "expected". */
  readonly expected: string;
  /** Whether all values of a repeated flag count, joined by commas. Otherwise the last one does. */
  readonly isList: boolean;
  readonly parse: (text: string) => Parsed<Value>;
  /** As it would be written on the command line; '' when there is none. */
  readonly format: (value: Value) => string;
}

/** Go's strconv.ParseBool. */
export const boolean: ValueKind<boolean> = {
  placeholder: '',
  expected: 'true or false',
  isList: false,
  parse: (text) => {
    if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) {
      return { ok: true, value: true };
    }
    return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)
      ? { ok: true, value: false }
      : { ok: false, remedy: 'Write the flag alone for true, or =true, or =false' };
  },
  format: String,
};

/** A path; '' is the same as leaving the flag out. Whether it exists is seen when it is opened. */
export function path(placeholder: 'FILE' | 'DIR'): ValueKind<string | undefined> {
  const what = placeholder === 'FILE' ? 'the path of a file' : 'the path of a folder';
  return {
    placeholder,
    expected: what,
    isList: false,
    parse: (text) =>
      text.includes('\0')
        ? { ok: false, remedy: 'Remove the NUL byte' }
        : { ok: true, value: text === '' ? undefined : text },
    format: (value) => value ?? '',
  };
}

export const url: ValueKind<string | undefined> = {
  placeholder: 'URL',
  expected: 'an http or https URL',
  isList: false,
  parse: (text) => {
    if (text === '') {
      return { ok: true, value: undefined };
    }
    const isWeb = /^https?:\/\/[^/]/.test(text) && URL.canParse(text);
    return isWeb ? { ok: true, value: text } : { ok: false, remedy: 'Write it like https://10.0.0.1:6443' };
  },
  format: (value) => value ?? '',
};

/** A Node's name: an RFC 1123 subdomain. Upper case is lowered, as the kubelet does. */
export const nodeName: ValueKind<string | undefined> = {
  placeholder: 'NAME',
  expected: 'the name of a Node object',
  isList: false,
  parse: (text) => {
    const name = text.trim().toLowerCase();
    if (name === '') {
      return { ok: true, value: undefined };
    }
    return name.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)
      ? { ok: true, value: name }
      : { ok: false, remedy: 'Take the name that kubectl get nodes shows' };
  },
  format: (value) => value ?? '',
};

/** IFNAMSIZ of include/uapi/linux/if.h is 16 with the final NUL; dev_valid_name() refuses '/', ':' and white space. */
export const interfaceName: ValueKind<string> = {
  placeholder: 'NAME',
  expected: 'the name of a network interface, at most 15 bytes',
  isList: false,
  parse: (text) => {
    const fits = text !== '' && new TextEncoder().encode(text).length <= 15;
    if (!fits || /[\s/:%\0]/.test(text) || text === '.' || text === '..') {
      return { ok: false, remedy: 'Choose 1 to 15 letters, digits or dashes' };
    }
    return text === 'lo' ? { ok: false, remedy: 'Choose another one: lo is the loopback' } : { ok: true, value: text };
  },
  format: String,
};

/** The name of an interface, or what names begin with, of at most `longest` bytes; '' is the same as leaving it out. */
export function podInterface(longest: number): ValueKind<string | undefined> {
  return {
    placeholder: 'NAME',
    expected: `the name of a network interface or its beginning, at most ${longest} bytes`,
    isList: false,
    parse: (text) => {
      const fits = new TextEncoder().encode(text).length <= longest;
      // A star and a backslash mean something to nft.
      return fits && !/[\s/:%"*\\\0]/.test(text)
        ? { ok: true, value: text === '' ? undefined : text }
        : { ok: false, remedy: `Give 1 to ${longest} letters, digits or dashes, without a star` };
    },
    format: (value) => value ?? '',
  };
}

export function duration(minimumMs: number): ValueKind<number> {
  const bound = minimumMs > 0 ? ` of at least ${formatDuration(minimumMs)}` : '';
  return {
    placeholder: 'DURATION',
    expected: `a duration${bound} such as 30s or 1m30s`,
    isList: false,
    parse: (text) => {
      const value = parseDuration(text);
      if (value === undefined) {
        return { ok: false, remedy: /^\d+$/.test(text) ? `Add a unit: ${text}s` : 'Use the units ms, s, m and h' };
      }
      return value < minimumMs
        ? { ok: false, remedy: `Give ${formatDuration(minimumMs)} or more` }
        : { ok: true, value };
    },
    format: formatDuration,
  };
}

export function integer(lowest: number, highest: number): ValueKind<number> {
  return {
    placeholder: 'NUMBER',
    expected: `a whole number from ${lowest} to ${highest}`,
    isList: false,
    parse: (text) => {
      const value = /^[+-]?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= lowest && value <= highest
        ? { ok: true, value }
        : { ok: false, remedy: `Choose one from ${lowest} to ${highest}` };
    },
    format: String,
  };
}

export function oneOf<Choice extends string>(placeholder: string, choices: readonly Choice[]): ValueKind<Choice> {
  return {
    placeholder,
    expected: `one of ${choices.join(', ')}`,
    isList: false,
    parse: (text) => {
      const value = choices.find((choice) => choice === text);
      const guess = nearest(text.toLowerCase(), choices);
      return value === undefined
        ? { ok: false, remedy: guess === undefined ? 'Choose from the list' : `Perhaps ${guess} was meant` }
        : { ok: true, value };
    },
    format: String,
  };
}

export const cidrs: ValueKind<readonly CIDR[]> = {
  placeholder: 'CIDR,…',
  expected: 'CIDRs separated by commas',
  isList: true,
  parse: (text) => {
    const parts = listOf(text);
    const wrong = parts.find((part) => parseCIDR(part) === undefined);
    return wrong === undefined
      ? { ok: true, value: parts.map(parseCIDR).filter((cidr) => cidr !== undefined) }
      : { ok: false, remedy: mendCIDR(wrong) };
  },
  format: (value) => value.map(formatCIDR).join(','),
};

export const nodePortAddresses: ValueKind<NodePortAddresses> = {
  placeholder: 'CIDR,…|primary',
  expected: 'CIDRs separated by commas, or primary alone',
  isList: true,
  parse: (text) => {
    const parts = listOf(text);
    if (parts.length === 0) {
      return { ok: true, value: 'all' };
    }
    if (parts.includes('primary')) {
      return parts.length === 1
        ? { ok: true, value: 'primary' }
        : { ok: false, remedy: 'Take primary alone, or only CIDRs' };
    }
    return cidrs.parse(text);
  },
  format: (value) => (value === 'all' ? '' : value === 'primary' ? value : cidrs.format(value)),
};

/** '' is none. */
export const nodeAddress: ValueKind<string | undefined> = {
  placeholder: 'ADDRESS',
  expected: 'an IP address',
  isList: false,
  parse: (text) => {
    const value = parseAddress(text);
    return value === undefined && text !== '' ? { ok: false, remedy: 'Write it like 192.0.2.1' } : { ok: true, value };
  },
  format: (value) => value ?? '',
};

/** '' is every address. */
export const listenAddress: ValueKind<string> = {
  placeholder: 'ADDRESS',
  expected: 'an IP address, or nothing for all',
  isList: false,
  parse: (text) => {
    const value = text === '' ? '' : parseAddress(text);
    return value === undefined ? { ok: false, remedy: 'Write it like 127.0.0.1' } : { ok: true, value };
  },
  format: String,
};

export const urlPath: ValueKind<string> = {
  placeholder: 'PATH',
  expected: 'the path of a page',
  isList: false,
  parse: (text) =>
    /^\/[\w./~-]*$/.test(text) ? { ok: true, value: text } : { ok: false, remedy: 'Write it like /metrics' },
  format: String,
};

/** `ADDRESS:PORT`, `[ADDRESS]:PORT`, `:PORT`, or an address alone, which gets the usual port. '' is no server. */
export function bindAddress(usualPort: number): ValueKind<BindAddress | undefined> {
  return {
    placeholder: 'ADDRESS[:PORT]',
    expected: 'an IP address with or without a port, or nothing for no server',
    isList: false,
    parse: (text) => {
      const alone = parseAddress(text);
      if (text === '' || alone !== undefined) {
        return { ok: true, value: alone === undefined ? undefined : { address: alone, port: usualPort } };
      }
      const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
      const port = Number(digits);
      const host = bracketed ?? plain ?? '';
      const address = host === '' ? '' : parseAddress(host);
      if (digits === undefined || address === undefined || (bracketed !== undefined && familyOf(address) !== 'IPv6')) {
        return { ok: false, remedy: `Write it like 0.0.0.0:${usualPort} or [::]:${usualPort}` };
      }
      return port >= 1 && port <= 65_535
        ? { ok: true, value: { address, port } }
        : { ok: false, remedy: 'Choose a port from 1 to 65535' };
    },
    format: (value) => (value === undefined ? '' : formatEndpoint(value.address, value.port)),
  };
}

/** Bits of the 32-bit packet mark, written as 0x4000 or in decimal. */
export function markBits(count: 'one' | 'some'): ValueKind<number> {
  return {
    placeholder: count === 'one' ? 'BIT' : 'MASK',
    expected: count === 'one' ? 'one bit of the 32-bit packet mark' : 'bits of the 32-bit packet mark',
    isList: false,
    parse: (text) => {
      const value = /^(0[xX][0-9a-fA-F]{1,8}|\d{1,10})$/.test(text) ? Number(text) : 0;
      if (value === 0 || value > 0xffff_ffff) {
        return { ok: false, remedy: `Write it like ${count === 'one' ? '0x4000' : '0x3fff'}` };
      }
      return count === 'one' && !Number.isInteger(Math.log2(value))
        ? { ok: false, remedy: 'Choose a power of two, like 0x4000' }
        : { ok: true, value };
    },
    format: (value) => `0x${value.toString(16).padStart(count === 'one' ? 1 : 8, '0')}`,
  };
}

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function mendCIDR(wrong: string): string {
  const address = parseAddress(wrong);
  if (address === undefined) {
    return `Correct ${quote(wrong)}: write it like 10.0.0.0/16 or fd00::/48`;
  }
  return `Add the length of the prefix: ${address}/${familyOf(address) === 'IPv4' ? 32 : 128}`;
}
