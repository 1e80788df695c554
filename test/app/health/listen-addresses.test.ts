import { describe, expect, it } from 'vitest';
import type { NodePortAddresses } from '../../../src/app/config/config.ts';
import { listenAddresses } from '../../../src/app/health/listen-addresses.ts';
import { parseCIDR } from '../../../src/core/address.ts';

const addresses = ['127.0.0.1', '::1', '192.168.0.1', '10.0.0.1', 'fd00:100::1'];

function listen(wanted: NodePortAddresses): readonly string[] {
  return listenAddresses({ wanted, sources: { IPv4: '192.168.0.1', IPv6: undefined }, addresses });
}

function cidrs(...texts: readonly string[]): NodePortAddresses {
  return texts.map(parseCIDR).filter((cidr) => cidr !== undefined);
}

describe('a health check listens', () => {
  it('on every address without a choice, or with one that holds all', () => {
    expect(listen('all')).toEqual(['0.0.0.0', '::']);
    expect(listen(cidrs('0.0.0.0/0', '::/0'))).toEqual(['0.0.0.0', '::']);
  });

  it('on the addresses inside the CIDRs, loopback too', () => {
    expect(listen(cidrs('192.168.0.0/16', '127.0.0.0/8', '::1/128'))).toEqual(['127.0.0.1', '192.168.0.1', '::1']);
  });

  it('on every address of a family that no CIDR names', () => {
    expect(listen(cidrs('10.0.0.0/8'))).toEqual(['10.0.0.1', '::']);
  });

  it('nowhere in a family in which no address matches', () => {
    expect(listen(cidrs('172.16.0.0/12', 'fd00::/16'))).toEqual(['fd00:100::1']);
  });

  it('on the primary address, and on all of a family whose primary address is not known', () => {
    expect(listen('primary')).toEqual(['192.168.0.1', '::']);
  });
});
