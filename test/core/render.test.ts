import { describe, expect, it } from 'vitest';
import { type ActualStore, adoptReading } from '../../src/core/actual.ts';
import { emptyAddresses } from '../../src/core/address-index.ts';
import { compileService } from '../../src/core/compile.ts';
import { type DesiredStore, emptyDesired, setContribution } from '../../src/core/desired.ts';
import { filterElementFamily, filterElementKey, frontendKey, virtualServerKey } from '../../src/core/keys.ts';
import { renderActual, renderDesired } from '../../src/core/render.ts';
import { context } from '../support/context.ts';
import { endpoint, service, slice } from '../support/facts.ts';
import { destinationState, virtualServer } from '../support/servers.ts';

function desired(): DesiredStore {
  const store = emptyDesired();
  const slices = [slice([endpoint('10.1.1.1')])];
  const input = {
    service: service(),
    slices,
    context: context(),
    addresses: emptyAddresses(),
    last: undefined,
    markOf: () => 1,
  };
  setContribution(store, 'default/web', compileService(input));
  return store;
}

const text = `TCP 10.96.0.1:80 -> 10.1.1.1 8080 masquerade weight 1
TCP 10.96.0.1:80 rr flags 0 timeout 0 /32
masquerade_outside TCP 10.96.0.1:80
vip 10.96.0.1 source 192.168.0.1
vips 10.96.0.1
virtual_servers TCP 10.96.0.1:80`;

/** What the wishes become, with these destinations besides. */
function actual(...more: readonly ReturnType<typeof destinationState>[]): ActualStore {
  const frontend = { address: '10.96.0.1', protocol: 'TCP', port: 80 } as const;
  return adoptReading({
    virtualServers: [{ server: virtualServer(), destinations: [destinationState('10.1.1.1', 3, 4), ...more] }],
    vips: [{ address: '10.96.0.1', onInterface: true, routed: true, source: '192.168.0.1' }],
    elements: [
      { set: 'virtual_servers', ...frontend, comment: 'default/web' },
      { set: 'vips', address: '10.96.0.1' },
      { set: 'masquerade_outside', ...frontend },
    ],
  });
}

describe('the text of a state', () => {
  it('is the same for what is wanted and for what is there, sorted, without counts and comments', () => {
    expect(renderDesired(desired())).toBe(text);
    expect(renderActual(actual(), desired())).toBe(text);
  });

  it('leaves out a draining destination, and only that', () => {
    const draining = { ...destinationState('10.1.1.2', 1, 0), weight: 0 };
    expect(renderActual(actual(draining), desired())).toBe(text);
    expect(renderActual(actual(destinationState('10.1.1.2', 1, 0)), desired())).toContain('10.1.1.2 8080');
    expect(renderActual(actual(draining), emptyDesired())).toContain('10.1.1.2 8080');
  });

  it('leaves out what is not recorded', () => {
    const state = actual();
    state.elements.clear();
    expect(renderActual(state, desired())).toBe('');
  });
});

describe('keys', () => {
  it('are the words of ipvsadm', () => {
    expect(frontendKey('SCTP', 'fd00::1', 80)).toBe('SCTP [fd00::1]:80');
    expect(virtualServerKey({ kind: 'fwmark', family: 'IPv6', mark: 7 })).toBe('FWM 7 IPv6');
  });

  it('of elements tell sets and families apart, and not marks of one frontend', () => {
    const view = { set: 'inside_view', address: '10.96.0.1', protocol: 'TCP', port: 80 } as const;
    expect(filterElementKey({ ...view, mark: 1 })).toBe(filterElementKey({ ...view, mark: 2 }));
    expect(filterElementKey({ set: 'hairpin', address: 'fd00::1' })).toBe('hairpin fd00::1');
    expect(filterElementKey({ set: 'fwmarks', family: 'IPv4', mark: 1 })).toBe('fwmarks 1 IPv4');
    expect(filterElementFamily({ set: 'fwmarks', family: 'IPv6', mark: 1 })).toBe('IPv6');
    expect(filterElementFamily({ ...view, mark: 1 })).toBe('IPv4');
  });
});
