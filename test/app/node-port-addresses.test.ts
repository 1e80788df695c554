import { describe, expect, it } from 'vitest';
import type { NodePortAddresses } from '../../src/app/config/config.ts';
import { makeContext, type NodeReading } from '../../src/app/context.ts';
import type { CompileContext } from '../../src/core/model/context.ts';
import type { NodeAddress } from '../../src/kernel/ports.ts';
import { cidrs, settingsOfContext } from '../support/context.ts';
import { node } from '../support/facts.ts';

const addresses: readonly NodeAddress[] = [
  ...at('lo', 'host', '127.0.0.1/8', '::1/128'),
  ...at('docker0', 'global', '172.17.0.1/16'),
  ...at('eth0', 'global', '192.0.2.1/24', '2001:db8::1/64'),
  ...at('eth0', 'link', '169.254.7.7/16', 'fe80::1/64'),
  ...at('eth1', 'global', '198.51.100.1/31'),
];

function at(name: string, scope: NodeAddress['scope'], ...texts: readonly string[]): readonly NodeAddress[] {
  return texts.map((text) => {
    const [address = '', length] = text.split('/');
    return { address, interface: name, prefixLength: Number(length), scope };
  });
}

function contextOf(
  wanted: NodePortAddresses,
  declared: readonly string[] | 'unknown' = ['192.0.2.1', '2001:db8::1'],
  defaultSources: NodeReading['defaultSources'] = { IPv4: undefined, IPv6: undefined },
): CompileContext {
  const settings = settingsOfContext({ nodePortAddresses: wanted });
  const fact = declared === 'unknown' ? undefined : node({ addresses: declared, allAddresses: declared });
  return makeContext(settings, { node: fact, serviceCIDRs: new Map() }, { addresses, defaultSources });
}

describe('node ports are served (S12, #65459)', () => {
  const global = ['172.17.0.1', '192.0.2.1', '2001:db8::1', '169.254.7.7', '198.51.100.1'];

  it.each<[string, NodePortAddresses, readonly string[]]>([
    ['on every address but loopback and IPv6 link-local unless told otherwise', 'all', global],
    ['on the Node’s own addresses', 'primary', ['192.0.2.1', '2001:db8::1']],
    [
      'inside CIDRs',
      cidrs('192.0.2.0/24', '198.51.100.0/24', '2001:db8::/32'),
      ['192.0.2.1', '2001:db8::1', '198.51.100.1'],
    ],
    ['on all of a family without a CIDR', cidrs('192.0.2.0/24'), ['192.0.2.1', '2001:db8::1']],
    ['on all with a CIDR that holds all', cidrs('0.0.0.0/0', '::/0'), global],
    ['never on loopback', cidrs('127.0.0.0/8', '::1/128'), []],
    ['on IPv6 link-local only when a CIDR says so', cidrs('192.0.2.0/24', 'fe80::/10'), ['192.0.2.1', 'fe80::1']],
  ])('%s', (_, wanted, expected) => {
    expect(contextOf(wanted).nodePortAddresses).toEqual(expected);
  });

  it('on the source towards the default route when the Node is not known, and on all without one', () => {
    expect(contextOf('primary', 'unknown', { IPv4: '198.51.100.1', IPv6: undefined }).nodePortAddresses).toEqual([
      '198.51.100.1',
      '2001:db8::1',
    ]);
  });
});

describe('the node’s addresses', () => {
  it('are those of the kernel and those of its Node', () => {
    const known = contextOf('all', ['192.0.2.1', '203.0.113.200']).nodeAddresses;
    expect(known).toEqual(new Set([...addresses.map(({ address }) => address), '203.0.113.200']));
  });

  it('have broadcast addresses in IPv4, where the network has room for one', () => {
    expect(contextOf('all').broadcastAddresses).toEqual(new Set(['172.17.255.255', '192.0.2.255', '169.254.255.255']));
  });

  it('give VIPs a source without a default route: that of the Node, else the first global one', () => {
    expect(contextOf('all').sources).toEqual({ IPv4: '192.0.2.1', IPv6: '2001:db8::1' });
    expect(contextOf('all', 'unknown').sources).toEqual({ IPv4: '172.17.0.1', IPv6: '2001:db8::1' });
    expect(contextOf('all', ['10.0.0.1']).sources).toEqual({ IPv4: '172.17.0.1', IPv6: '2001:db8::1' });
  });
});
