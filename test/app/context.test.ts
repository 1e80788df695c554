import { describe, expect, it } from 'vitest';
import { makeConfig } from '../../src/app/config/make-config.ts';
import { makeContext, type NodeReading } from '../../src/app/context.ts';
import { contextSettings } from '../../src/app/kernel.ts';
import { formatCIDR } from '../../src/core/address.ts';
import { applyChanges, emptyFacts } from '../../src/core/facts.ts';
import { cidrs, settingsOfContext } from '../support/context.ts';
import { node } from '../support/facts.ts';

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
  const { sources, nodePortAddresses } = makeContext(
    settingsOfContext({ bindAddress }),
    { node: node({ addresses }), serviceCIDRs: new Map() },
    reading,
  );
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

describe('the service ranges', () => {
  function ranges(...objects: readonly (readonly string[])[]): readonly string[] {
    const schedulers = { defaultScheduler: 'rr', available: new Set<never>() } as const;
    const config = makeConfig({ serviceClusterIPRanges: cidrs('10.200.0.0/16') });
    const facts = emptyFacts('node-a');
    applyChanges(
      facts,
      objects.map((each, index) => ({
        change: 'set',
        kind: 'ServiceCIDR',
        fact: { key: `range-${index}`, cidrs: each },
      })),
    );
    return makeContext(contextSettings(config, 'node-a', schedulers), facts, reading).serviceCIDRs.map(formatCIDR);
  }

  it('are those of all ServiceCIDR objects', () => {
    expect(ranges(['10.96.0.0/12', 'fd00::/108'], ['10.112.0.0/16'])).toEqual([
      '10.96.0.0/12',
      'fd00::/108',
      '10.112.0.0/16',
    ]);
  });

  it('are those of the flag while there is no object', () => {
    expect(ranges()).toEqual(['10.200.0.0/16']);
  });
});
