import { expect, it } from 'vitest';
import { type ContextSettings, makeContext, type NodeReading } from '../../src/app/context.ts';
import type { NodeFact } from '../../src/core/model/facts.ts';
import { addressRules } from '../support/context.ts';

const reading: NodeReading = {
  addresses: ['192.0.2.1', '192.0.2.9', '2001:db8::1', '2001:db8::9'].map((address) => ({
    address,
    interface: 'eth0',
    prefixLength: address.includes(':') ? 64 : 24,
    scope: 'global',
  })),
  defaultSources: { IPv4: '192.0.2.1', IPv6: '2001:db8::1' },
};

function sourcesWith(bindAddress: string | undefined, addresses: readonly string[] = []): unknown {
  const settings: ContextSettings = {
    nodeName: 'a',
    bindAddress,
    nodePortAddresses: 'primary',
    addressRules: addressRules(),
    reservedPorts: new Map(),
    masqueradeAll: false,
    detectsLocal: false,
    schedulers: { defaultScheduler: 'rr', available: new Set() },
  };
  const { sources, nodePortAddresses } = makeContext(settings, { addresses } as NodeFact, reading);
  expect(nodePortAddresses).toEqual([sources.IPv4, sources.IPv6]);
  return [sources.IPv4, sources.IPv6];
}

it('takes the address of the Node object for the node’s own, if the node has it', () => {
  expect(sourcesWith(undefined, ['192.0.2.9', '2001:db8::7'])).toEqual(['192.0.2.9', '2001:db8::1']);
});

it('takes the configured address before it, in its family', () => {
  expect(sourcesWith('192.0.2.9', ['192.0.2.1', '2001:db8::9'])).toEqual(['192.0.2.9', '2001:db8::9']);
  expect(sourcesWith('2001:db8::9', ['192.0.2.9'])).toEqual(['192.0.2.9', '2001:db8::9']);
});

it.each(['0.0.0.0', '::', '198.51.100.1'])('passes over %s, which the node does not have', (bindAddress) => {
  expect(sourcesWith(bindAddress, ['192.0.2.9'])).toEqual(['192.0.2.9', '2001:db8::1']);
});
