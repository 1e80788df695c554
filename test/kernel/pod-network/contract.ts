import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PodTunnel } from '../../../src/core/model/pod-tunnel.ts';
import { isKernelError } from '../../../src/kernel/error.ts';
import type { PodNamespace, PodNetworkPort } from '../../../src/kernel/ports.ts';

/** What the pod of the contract has on its own interface. */
export const podAddresses = ['10.1.0.2', 'fd01::2'] as const;

/** One port under test, and a pod that has `podAddresses`. */
export interface PodNetworkUnderTest {
  readonly port: PodNetworkPort;
  readonly path: string;
  /** Everything that is there, in stable text. */
  readonly listing: () => string;
  /** Another program makes the IPv4 tunnel device, for the pod's address unless another one is given, with a VIP on it. */
  readonly makeForeignTunnel: (local?: string) => void;
  /** A crash left the device of a family without an alias, down and empty. */
  readonly makeBareTunnel: (local: string) => void;
  readonly setArp: (setting: 'arpIgnore' | 'arpAnnounce', value: number) => void;
  readonly takeGuePort: () => void;
  /** Puts a new namespace in the place of the pod's. */
  readonly replacePod: () => void;
  readonly removePod: () => void;
  readonly close: () => void;
}

/** The VIP that another program put on its own tunnel device. */
export const foreignVip = '198.51.100.99';

export function podTunnel(given: Partial<PodTunnel> = {}): PodTunnel {
  return { address: podAddresses[0], pod: 'default/web', vips: ['198.51.100.7'], encapsulation: 'ipip', ...given };
}

const inIPv6 = podTunnel({ address: podAddresses[1], vips: ['2001:db8::7', '2001:db8::8'] });

/** What every PodNetworkPort does. */
export function testPodNetworkContract(open: () => PodNetworkUnderTest): void {
  let under: PodNetworkUnderTest;
  let port: PodNetworkPort;
  let pod: PodNamespace;

  beforeEach(() => {
    under = open();
    port = under.port;
    pod = { path: under.path, identity: port.identify(under.path) ?? '' };
  });
  afterEach(() => under.close());

  for (const [title, tunnel, kind] of [
    ['IPv4', podTunnel({ vips: ['198.51.100.7', '198.51.100.8'] }), 'ipip'],
    ['IPv6', inIPv6, 'ip6tnl'],
    ['IPv4 in GUE', podTunnel({ encapsulation: 'gue' }), 'ipip'],
    ['IPv6 in GUE', { ...inIPv6, encapsulation: 'gue' }, 'ip6tnl'],
  ] as const) {
    it(`prepares a pod for ${title}, again without harm, and leaves nothing behind`, () => {
      const listing = under.listing();
      const before = port.read(pod, tunnel);
      expect(before).toMatchObject({ device: { name: 'eth0' }, tunnel: undefined });
      port.ensure(pod, tunnel, before);
      const after = port.read(pod, tunnel);
      expect(after.tunnel).toMatchObject({ kind, local: tunnel.address, isUp: true, isOurs: true, vips: tunnel.vips });
      expect(after.gue).toBe(tunnel.encapsulation === 'gue' ? true : undefined);
      const prepared = under.listing();
      expect(prepared).not.toBe(listing);
      port.ensure(pod, tunnel, before);
      expect(under.listing()).toBe(prepared);
      port.restore(pod, tunnel, before);
      expect(under.listing()).toBe(listing);
      port.restore(pod, tunnel, before);
      expect(under.listing()).toBe(listing);
    });
  }

  it('has a tunnel of each family at a time', () => {
    const listing = under.listing();
    const tunnels = [podTunnel(), inIPv6].map((tunnel) => ({ tunnel, before: port.read(pod, tunnel) }));
    for (const { tunnel, before } of tunnels) port.ensure(pod, tunnel, before);
    for (const { tunnel } of tunnels) expect(port.read(pod, tunnel).tunnel?.vips).toEqual(tunnel.vips);
    for (const { tunnel, before } of tunnels) port.restore(pod, tunnel, before);
    expect(under.listing()).toBe(listing);
  });

  it('takes VIPs that are no longer wanted away', () => {
    const before = port.read(pod, podTunnel());
    port.ensure(pod, podTunnel({ vips: ['198.51.100.7', '198.51.100.8'] }), before);
    port.ensure(pod, podTunnel({ vips: ['198.51.100.8', '198.51.100.9'] }), before);
    expect(port.read(pod, podTunnel()).tunnel?.vips).toEqual(['198.51.100.8', '198.51.100.9']);
  });

  it('checks the way back loosely, and tells no neighbour of a VIP', () => {
    const before = port.read(pod, podTunnel());
    port.ensure(pod, podTunnel(), before);
    const after = port.read(pod, podTunnel());
    expect(after.tunnel?.rpFilter).toBe(2);
    expect(after.device).toEqual({ name: 'eth0', arpIgnore: 1, arpAnnounce: 2 });
  });

  it('keeps settings that are stricter, and does not set back what another hand changed', () => {
    under.setArp('arpIgnore', 2);
    const before = port.read(pod, podTunnel());
    port.ensure(pod, podTunnel(), before);
    expect(port.read(pod, podTunnel()).device).toMatchObject({ arpIgnore: 2, arpAnnounce: 2 });
    under.setArp('arpAnnounce', 1);
    port.restore(pod, podTunnel(), before);
    expect(port.read(pod, podTunnel()).device).toMatchObject({ arpIgnore: 2, arpAnnounce: 1 });
  });

  for (const tunnel of [podTunnel(), inIPv6]) {
    it(`completes what a crash left of ${tunnel.address}, and removes it`, () => {
      const listing = under.listing();
      const before = port.read(pod, tunnel);
      under.makeBareTunnel(tunnel.address);
      port.ensure(pod, tunnel, before);
      expect(port.read(pod, tunnel).tunnel).toMatchObject({ isUp: true, isOurs: true, vips: tunnel.vips });
      port.restore(pod, tunnel, before);
      under.makeBareTunnel(tunnel.address);
      port.restore(pod, tunnel, before);
      expect(under.listing()).toBe(listing);
    });
  }

  it('uses the tunnel device of another program and leaves it as it was', () => {
    under.makeForeignTunnel();
    const listing = under.listing();
    const before = port.read(pod, podTunnel());
    expect(before.tunnel).toMatchObject({ isOurs: false, vips: [foreignVip] });
    port.ensure(pod, podTunnel(), before);
    expect(port.read(pod, podTunnel()).tunnel).toMatchObject({ isOurs: false, vips: ['198.51.100.7', foreignVip] });
    port.restore(pod, podTunnel(), before);
    expect(under.listing()).toBe(listing);
  });

  it('refuses the tunnel device of another program that leads elsewhere', () => {
    under.makeForeignTunnel('10.1.0.77');
    const before = port.read(pod, podTunnel());
    const listing = under.listing();
    expect(codeOf(() => port.ensure(pod, podTunnel(), before))).toBe('EEXIST');
    expect(under.listing()).toBe(listing);
  });

  it('refuses a pod without the address and changes nothing', () => {
    const listing = under.listing();
    const elsewhere = podTunnel({ address: '10.1.0.3' });
    const before = port.read(pod, elsewhere);
    expect(before.device).toBeUndefined();
    expect(codeOf(() => port.ensure(pod, elsewhere, before))).toBe('EADDRNOTAVAIL');
    expect(under.listing()).toBe(listing);
  });

  it('says that a program of the pod has the port of GUE', () => {
    under.takeGuePort();
    const tunnel = podTunnel({ encapsulation: 'gue' });
    const before = port.read(pod, tunnel);
    expect(before.gue).toBe(false);
    expect(codeOf(() => port.ensure(pod, tunnel, before))).toBe('EADDRINUSE');
  });

  it('never takes another namespace at the same path for the pod', () => {
    const before = port.read(pod, podTunnel());
    under.replacePod();
    const listing = under.listing();
    expect(port.identify(under.path)).not.toBe(pod.identity);
    for (const call of [
      () => port.read(pod, podTunnel()),
      () => port.ensure(pod, podTunnel(), before),
      () => port.restore(pod, podTunnel(), before),
    ]) {
      expect(codeOf(call)).toBe('ESTALE');
    }
    expect(under.listing()).toBe(listing);
  });

  it('says that a namespace is gone', () => {
    under.removePod();
    expect(port.identify(under.path)).toBeUndefined();
    expect(codeOf(() => port.read(pod, podTunnel()))).toBe('ENOENT');
  });
}

function codeOf(call: () => unknown): string {
  try {
    call();
    return 'no error';
  } catch (error) {
    return isKernelError(error) ? error.code : String(error);
  }
}
