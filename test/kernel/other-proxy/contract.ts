import { afterEach, beforeEach, expect, it } from 'vitest';
import type { OtherInterfacePort } from '../../../src/kernel/link/open-other-interface.ts';
import type { OtherTablesPort } from '../../../src/kernel/nft/other-tables.ts';

/** Where another proxy may have left a table and an interface; with `kube-router`'s routing if asked. */
export interface OtherProxyUnderTest {
  readonly tables: OtherTablesPort;
  readonly interfaces: OtherInterfacePort;
  readonly addTable: (name: string) => void;
  readonly addLink: (name: string, kind: 'dummy' | 'bridge', addresses: readonly string[]) => void;
  /** A rule for table 79, and one for a mark and table 78 with its route. */
  readonly addRouting: () => void;
  readonly close: () => void;
}

/** What every port to what another proxy leaves in nftables and among links does. */
export function testOtherProxyContract(make: () => OtherProxyUnderTest): void {
  let subject: OtherProxyUnderTest;

  beforeEach(() => {
    subject = make();
  });
  afterEach(() => subject.close());

  it('names tables by family, and removes one', async () => {
    const { tables } = subject;
    expect(await tables.names()).toEqual([]);
    for (const name of ['ip kube-proxy', 'ip6 kube-proxy', 'inet other']) subject.addTable(name);
    await tables.remove('ip kube-proxy');
    expect([...(await tables.names())].sort()).toEqual(['inet other', 'ip6 kube-proxy']);
  });

  it('refuses to remove a table that is not there', async () => {
    subject.addTable('ip6 kube-proxy');
    await expect(subject.tables.remove('ip kube-proxy')).rejects.toMatchObject({ code: 'program-refused' });
    expect(await subject.tables.names()).toEqual(['ip6 kube-proxy']);
  });

  it('tells the addresses of an interface, and removes it once', () => {
    const { interfaces } = subject;
    expect(interfaces.addresses('kube-ipvs0')).toBeUndefined();
    subject.addLink('kube-ipvs0', 'dummy', ['10.96.0.1', 'fd00:96::1', 'fe80::7']);
    expect([...(interfaces.addresses('kube-ipvs0') ?? [])].sort()).toEqual(['10.96.0.1', 'fd00:96::1']);
    expect([interfaces.remove('kube-ipvs0'), interfaces.remove('kube-ipvs0')]).toEqual(['removed', 'absent']);
    expect(interfaces.addresses('kube-ipvs0')).toBeUndefined();
  });

  it('puts addresses on an interface that is there, also those that are on it', () => {
    const { interfaces } = subject;
    expect(() => interfaces.addAddresses('kube-ipvs0', ['10.96.0.1'])).toThrow('ENODEV');
    subject.addLink('kube-ipvs0', 'dummy', ['10.96.0.1']);
    interfaces.addAddresses('kube-ipvs0', ['10.96.0.1', '10.96.0.2', 'fd00:96::1']);
    const expected = ['10.96.0.1', '10.96.0.2', 'fd00:96::1'];
    expect([...(interfaces.addresses('kube-ipvs0') ?? [])].sort()).toEqual(expected);
  });

  it('leaves alone what has the name and is another kind of interface', () => {
    subject.addLink('kube-ipvs0', 'bridge', ['10.96.0.1']);
    expect(subject.interfaces.addresses('kube-ipvs0')).toBeUndefined();
    expect(subject.interfaces.remove('kube-ipvs0')).toBe('absent');
  });

  it('tells policy routing, and removes it, also when there is none', () => {
    const { interfaces } = subject;
    interfaces.removeRouting();
    expect(interfaces.routing()).toEqual([]);
    subject.addRouting();
    expect([...interfaces.routing()].sort()).toEqual(routing);
    interfaces.removeRouting();
    expect(interfaces.routing()).toEqual([]);
  });
}

/** What `addRouting` makes, in words. */
export const routing: readonly string[] = [
  'route IPv4 local default table 78',
  'rule IPv4 priority 32764 fwmark 7454 lookup 78',
  'rule IPv4 priority 32765 lookup 79',
];
