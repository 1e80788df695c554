/** The pieces of which rules are written. */

import type { Family } from '../../core/model/facts.ts';

/** A chain on a hook; what no rule decides is accepted. */
export interface Chain {
  readonly hook: string;
  readonly comment: string;
  readonly rules: readonly string[];
}

/** A rule with what it says to people. */
export function rule(text: string, comment: string): string {
  return `${text} comment "${comment}"`;
}

/** A number as nft writes marks. */
export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** What differs between the families. */
export interface FamilyWords {
  readonly n: 4 | 6;
  readonly ip: 'ip' | 'ip6';
  readonly nfproto: 'ipv4' | 'ipv6';
  /** The key of the sets of frontends. */
  readonly frontend: string;
  /**
   * The same in front of a range: nft up to 1.0.6 turns the byte order of `meta l4proto` in the key of an interval set,
   * which the kernel refuses for one byte (nft_byteorder_init). conntrack's protocol needs no turning, and like the
   * former it is that behind IPv6 extension headers.
   */
  readonly restrictedFrontend: string;
  /** ICMP that a VIP answers or that its connections need. */
  readonly icmp: string;
}

/** The words of one family. */
export function words(family: Family): FamilyWords {
  const errors = 'destination-unreachable, time-exceeded, parameter-problem';
  return family === 'IPv4'
    ? {
        n: 4,
        ip: 'ip',
        nfproto: 'ipv4',
        frontend: 'ip daddr . meta l4proto . th dport',
        restrictedFrontend: 'ip daddr . ct protocol . th dport',
        icmp: `icmp type { echo-request, echo-reply, ${errors} }`,
      }
    : {
        n: 6,
        ip: 'ip6',
        nfproto: 'ipv6',
        frontend: 'ip6 daddr . meta l4proto . th dport',
        restrictedFrontend: 'ip6 daddr . ct protocol . th dport',
        icmp: `icmpv6 type { echo-request, echo-reply, ${errors}, packet-too-big, nd-neighbor-solicit, nd-neighbor-advert }`,
      };
}
