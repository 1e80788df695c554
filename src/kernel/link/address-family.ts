import { familyOf } from '../../core/address.ts';
import type { Family } from '../../core/model/facts.ts';
import { AF_INET, AF_INET6 } from './rtnetlink.ts';

/** The kernel's number of an address family. */
export function familyNumber(family: Family): number {
  return family === 'IPv4' ? AF_INET : AF_INET6;
}

/** The kernel's number of the family of a canonical address. */
export function familyNumberOf(address: string): number {
  return familyNumber(familyOf(address));
}

/** The family of the kernel's number; undefined for any other than IP. */
export function familyOfNumber(value: number): Family | undefined {
  if (value === AF_INET) return 'IPv4';
  return value === AF_INET6 ? 'IPv6' : undefined;
}
