import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { vipKey } from '../../../src/core/actual.ts';
import type { VipOperation } from '../../../src/core/model/operation.ts';
import type { Vip, VipMode, VipState } from '../../../src/core/model/vip.ts';
import { finish } from '../../../src/core/steps.ts';
import { renderVips } from '../../../src/kernel/link/render.ts';
import type { LinkPort } from '../../../src/kernel/ports.ts';
import { expecting } from './expecting.ts';

/** What the node of the contract has on `eth0`: its first addresses, and those that it may get later. */
export const nodeAddresses = ['192.0.2.10', '2001:db8::10'] as const;

/** One port under test, on a node that has `nodeAddresses`. */
export interface LinkUnderTest {
  readonly link: LinkPort;
  /** Compares what the port says with what another program reads. */
  readonly check?: () => void;
  /** `ip address add ADDRESS dev` the VIP interface, as somebody else does it. */
  readonly addAddress: (address: string) => void;
  readonly deleteAddress: (address: string) => void;
  /** `ip route delete` of sluice's route. */
  readonly deleteRoute: (address: string) => void;
  readonly close: () => void;
}

export interface LinkSetting {
  readonly mode: VipMode;
  /** The interface is there already, made by somebody else. */
  readonly isForeign: boolean;
}

export function addVip(address: string, source?: string): VipOperation {
  const own = address.includes(':') ? nodeAddresses[1] : nodeAddresses[0];
  return { kind: 'add-vip', vip: { address, source: source ?? own } };
}

export function removeVip(address: string): VipOperation {
  return { kind: 'remove-vip', address };
}

const done = { failures: [], unknown: false };

/** What every LinkPort does. */
export function testLinkContract(open: (setting: LinkSetting) => LinkUnderTest): void {
  let under: LinkUnderTest;
  let link: LinkPort;

  const start = (setting: Partial<LinkSetting> = {}): void => {
    under.close();
    under = open({ mode: 'address', isForeign: false, ...setting });
    link = under.link;
    link.ensureInterface();
  };
  const text = (): string => {
    const vips = link.dumpVips();
    expectRead(link, vips);
    return renderVips(vips);
  };

  beforeEach(() => {
    under = open({ mode: 'address', isForeign: false });
    link = under.link;
  });
  afterEach(() => {
    under.check?.();
    under.close();
  });

  it('has no VIPs without an interface and refuses to add one', () => {
    expect(link.dumpVips()).toEqual([]);
    const { failures } = link.apply([removeVip('10.96.0.1'), addVip('10.96.0.1')]);
    expect(failures.map(({ index, error }) => [index, error.code])).toEqual([[1, 'ENODEV']]);
    expect(link.removeInterface()).toBe('absent');
  });

  it('makes the interface once and removes it', () => {
    expect(link.ensureInterface()).toEqual({ created: true });
    expect(link.ensureInterface()).toEqual({ created: false });
    expect(link.removeInterface()).toBe('removed');
    expect(link.removeInterface()).toBe('absent');
  });

  it('uses an interface of somebody else and leaves it', () => {
    under.close();
    under = open({ mode: 'address', isForeign: true });
    link = under.link;
    expect(link.ensureInterface()).toEqual({ created: false });
    expect(link.apply([addVip('10.96.0.1')])).toEqual(done);
    expect(link.apply([removeVip('10.96.0.1')])).toEqual(done);
    expect(link.removeInterface()).toBe('not-ours');
  });

  it('adds VIPs of both families with the node as their source, and again without harm', () => {
    start();
    const vips = [addVip('10.96.0.1'), addVip('fd00:96::1'), addVip('10.96.0.2')];
    expect(link.apply(vips)).toEqual(done);
    expect(link.apply(vips)).toEqual(done);
    expect(text()).toBe(
      [
        '10.96.0.1 on-interface routed source 192.0.2.10',
        '10.96.0.2 on-interface routed source 192.0.2.10',
        'fd00:96::1 on-interface routed source 2001:db8::10',
      ].join('\n'),
    );
  });

  it('adds routes alone in route mode', () => {
    start({ mode: 'route' });
    expect(link.apply([addVip('10.96.0.1'), addVip('fd00:96::1')])).toEqual(done);
    expect(text()).toBe('10.96.0.1 routed source 192.0.2.10\nfd00:96::1 routed source 2001:db8::10');
    expect(link.apply([removeVip('10.96.0.1'), removeVip('fd00:96::1')])).toEqual(done);
    expect(link.dumpVips()).toEqual([]);
  });

  it('adds a VIP without a source where the node has none', () => {
    start();
    expect(link.apply([{ kind: 'add-vip', vip: { address: '10.96.0.1', source: undefined } }])).toEqual(done);
    expect(text()).toBe('10.96.0.1 on-interface routed');
  });

  describe.each(['address', 'route'] as const)('a steered VIP in mode %s', (mode) => {
    const addresses = ['198.51.100.7', '2001:db8:7::7'] as const;
    // Without its address the kernel answers no ping in its name; IPv6 does.
    const where = { address: ['on-interface ', 'on-interface '], route: ['on-interface ', ''] }[mode];
    const own = { address: 'on-interface ', route: '' }[mode];
    const steer = (address: string, before?: VipState): VipOperation => {
      const { vip } = addVip(address) as Extract<VipOperation, { readonly kind: 'add-vip' }>;
      const steered = { ...vip, isSteered: true, encapsulation: 'ipip' } as const;
      return { kind: 'add-vip', vip: steered, ...(before === undefined ? {} : { before }) };
    };
    const stateOf = (address: string): VipState | undefined => link.dumpVips().find((vip) => vip.address === address);
    const steered = [
      `${addresses[0]} ${where[0]}routed steered source 192.0.2.10`,
      `${addresses[1]} ${where[1]}routed steered source 2001:db8::10`,
    ].join('\n');
    const ordinary = [
      `${addresses[0]} ${own}routed source 192.0.2.10`,
      `${addresses[1]} ${own}routed source 2001:db8::10`,
    ].join('\n');

    it('comes and goes, again without harm', () => {
      start({ mode });
      expect(link.apply(addresses.map((address) => steer(address)))).toEqual(done);
      expect(link.apply(addresses.map((address) => steer(address, stateOf(address))))).toEqual(done);
      expect(text()).toBe(steered);
      const removals = addresses.map(
        (address) => ({ ...removeVip(address), before: stateOf(address) }) as VipOperation,
      );
      expect(link.apply(removals)).toEqual(done);
      expect(link.dumpVips()).toEqual([]);
      expect(link.removeInterface()).toBe('removed');
    });

    it('was an ordinary one and becomes one again, beside another', () => {
      start({ mode });
      link.apply([...addresses, '10.96.0.1'].map((address) => addVip(address)));
      const other = `10.96.0.1 ${own}routed source 192.0.2.10`;
      expect(link.apply(addresses.map((address) => steer(address, stateOf(address))))).toEqual(done);
      expect(text()).toBe([other, steered].join('\n'));
      const back = addresses.map((address) => ({ ...addVip(address), before: stateOf(address) }) as VipOperation);
      expect(link.apply(back)).toEqual(done);
      expect(text().replaceAll('on-interface ', '')).toBe([other, ordinary].join('\n').replaceAll('on-interface ', ''));
      expect(text()).not.toContain('steered');
    });
  });

  it('leaves nothing behind, and takes the removal of what is absent as done', () => {
    start();
    const addresses = ['10.96.0.1', '10.96.0.2', 'fd00:96::1', 'fd00:96::2'];
    link.apply(addresses.map((address) => addVip(address)));
    expect(link.apply(addresses.slice(0, 3).map(removeVip))).toEqual(done);
    expect(text()).toBe('fd00:96::2 on-interface routed source 2001:db8::10');
    expect(link.removeInterface()).toBe('in-use');
    expect(link.apply([...addresses, '198.51.100.1'].map(removeVip))).toEqual(done);
    expect(link.dumpVips()).toEqual([]);
    expect(link.removeInterface()).toBe('removed');
  });

  it('refuses a source that is not the node’s and leaves that VIP as it was', () => {
    start();
    const { failures } = link.apply([
      addVip('10.96.0.1', '192.0.2.99'),
      addVip('10.96.0.2'),
      addVip('fd00:96::1', '2001:db8::99'),
    ]);
    expect(failures.map(({ index, error }) => [index, error.code])).toEqual([
      [0, 'EINVAL'],
      [2, 'EINVAL'],
    ]);
    expect(text()).toBe('10.96.0.2 on-interface routed source 192.0.2.10');
  });

  it('ends as if operations on one VIP were carried out in order', () => {
    start();
    link.apply([addVip('10.96.0.2')]);
    expect(
      link.apply([addVip('10.96.0.1'), removeVip('10.96.0.1'), removeVip('10.96.0.2'), addVip('10.96.0.2')]),
    ).toEqual(done);
    expect(text()).toBe('10.96.0.2 on-interface routed source 192.0.2.10');
  });

  it('takes an address over that somebody else put on the interface', () => {
    start();
    under.addAddress('10.96.0.1');
    under.addAddress('fd00:96::1');
    expect(text()).toBe('10.96.0.1 on-interface source 10.96.0.1\nfd00:96::1 on-interface');
    expect(link.removeInterface()).toBe('in-use');
    expect(link.apply([addVip('10.96.0.1'), addVip('fd00:96::1')])).toEqual(done);
    expect(text()).toBe(
      '10.96.0.1 on-interface routed source 192.0.2.10\nfd00:96::1 on-interface routed source 2001:db8::10',
    );
    link.apply([removeVip('10.96.0.1'), removeVip('fd00:96::1')]);
    expect(link.dumpVips()).toEqual([]);
  });

  it('touches no address that it was not told to', () => {
    start();
    under.addAddress('10.99.0.1');
    under.addAddress('fd00:99::1');
    link.apply([addVip('10.96.0.1'), addVip('fd00:96::1')]);
    link.apply([removeVip('10.96.0.1'), removeVip('fd00:96::1')]);
    expect(text()).toBe('10.99.0.1 on-interface source 10.99.0.1\nfd00:99::1 on-interface');
    expect(link.removeInterface()).toBe('in-use');
  });

  it('completes a VIP that lost its address or its route', () => {
    start();
    const vips = [addVip('10.96.0.1'), addVip('fd00:96::1'), addVip('10.96.0.2'), addVip('fd00:96::2')];
    link.apply(vips);
    const whole = text();
    under.deleteAddress('10.96.0.1');
    under.deleteAddress('fd00:96::1');
    under.deleteRoute('10.96.0.2');
    under.deleteRoute('fd00:96::2');
    expect(text()).toBe(
      [
        '10.96.0.1 routed source 192.0.2.10',
        '10.96.0.2 on-interface',
        'fd00:96::1 routed source 2001:db8::10',
        'fd00:96::2 on-interface',
      ].join('\n'),
    );
    expect(link.apply(vips)).toEqual(done);
    expect(text()).toBe(whole);
  });

  it('shows that the kernel’s own route is in front, and puts that right', () => {
    start();
    link.apply([addVip('10.96.0.1'), addVip('10.96.0.2'), addVip('fd00:96::1')]);
    under.deleteAddress('10.96.0.1');
    under.addAddress('10.96.0.1');
    under.deleteAddress('fd00:96::1');
    under.addAddress('fd00:96::1');
    expect(text()).toContain('10.96.0.1 on-interface routed source 10.96.0.1\n');
    expect(text()).toContain('fd00:96::1 on-interface routed\n'.trim());
    expect(link.apply([addVip('10.96.0.1'), addVip('fd00:96::1')])).toEqual(done);
    expect(text()).toContain('10.96.0.1 on-interface routed source 192.0.2.10\n');
    expect(text()).toContain('fd00:96::1 on-interface routed source 2001:db8::10');
  });

  it('flushes the routes of IPv4 with the last IPv4 address', () => {
    start();
    link.apply([addVip('10.96.0.1')]);
    under.deleteAddress('10.96.0.1');
    expect(link.dumpVips()).toEqual([]);
  });

  it('changes the source of a VIP', () => {
    start();
    link.apply([addVip('10.96.0.1'), addVip('10.96.0.2')]);
    expect(link.apply([addVip('10.96.0.1', '10.96.0.2')])).toEqual(done);
    expect(text()).toContain('10.96.0.1 on-interface routed source 10.96.0.2\n');
  });

  it('knows the addresses of the node but not those of the VIP interface, and the default source (S13, #129147)', () => {
    start();
    link.apply([addVip('10.96.0.1'), addVip('fd00:96::1')]);
    const found = link.nodeAddresses().filter((each) => each.interface === 'eth0' && each.scope === 'global');
    expect(found.map(({ address, prefixLength }) => `${address}/${prefixLength}`)).toEqual([
      '192.0.2.10/24',
      '2001:db8::10/64',
    ]);
    expect(link.nodeAddresses().map(({ address }) => address)).not.toContain('10.96.0.1');
    expect(finish(link.readNodeAddresses())).toEqual(link.nodeAddresses());
    expect([link.defaultSource('IPv4'), link.defaultSource('IPv6')]).toEqual(nodeAddresses);
  });

  it('knows the source towards another address, which is the address itself when it is its own', () => {
    start();
    link.apply([addVip('10.96.0.1')]);
    const sources = ['192.0.2.99', '2001:db8::99', '203.0.113.1', ...nodeAddresses].map((each) =>
      link.sourceTowards(each),
    );
    expect(sources).toEqual([...nodeAddresses, nodeAddresses[0], ...nodeAddresses]);
    expect(link.sourceTowards('10.96.0.1')).toBe(nodeAddresses[0]);
  });

  it('knows the interface towards another address', () => {
    start();
    expect(['192.0.2.99', '2001:db8::99', '203.0.113.1'].map((each) => link.interfaceTowards(each))).toEqual([
      'eth0',
      'eth0',
      'eth0',
    ]);
  });
}

/** Reading brings the same, whatever is expected: nothing, what there is, each with another source, or more than there is. */
function expectRead(link: LinkPort, vips: readonly VipState[]): void {
  const byKey = new Map(vips.map((vip) => [vipKey(vip.address), vip]));
  const sources = [nodeAddresses[0], nodeAddresses[1], '192.0.2.99', undefined];
  const wanted: readonly (readonly Vip[])[] = [
    [],
    vips.map(({ address, source }) => ({ address, source })),
    ...sources.map((source) => [...byKey.values(), ...absent].map(({ address }) => ({ address, source }))),
    vips.map(({ address, source }) => ({ address, source, isSteered: true, encapsulation: 'ipip' })),
  ];
  for (const each of wanted) expect(new Map(finish(link.readVips(expecting(each))))).toEqual(byKey);
}

const absent = [{ address: '10.96.7.7' }, { address: 'fd00:96::7:7' }];
