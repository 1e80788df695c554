/** The network namespaces of pods in memory, with the refusals of the kernel. */

import { familyOf } from '../../core/address.ts';
import type { Family } from '../../core/model/facts.ts';
import type { PodTunnel } from '../../core/model/pod-tunnel.ts';
import { errno, KernelError } from '../error.ts';
import { tunnelDeviceOf, tunnelKindOf } from '../pod-network/identity.ts';
import { arpAnnounceWith, arpIgnoreWith, looseReversePath } from '../pod-network/settings.ts';
import type { PodNamespace, PodNetworkPort, PodTunnelReading } from '../ports.ts';
import { createFaults, type Faults } from './faults.ts';

/** A tunnel device as a test puts it there. */
export type FakeTunnel = NonNullable<PodTunnelReading['tunnel']>;

/** What a pod's namespace holds. */
export interface FakePodNamespace {
  /** Addresses on the pod's own interface, `eth0`. */
  readonly addresses: readonly string[];
  arpIgnore: number;
  arpAnnounce: number;
  readonly tunnels: Map<Family, FakeTunnel>;
  /** UDP ports of GUE that the kernel unwraps. */
  readonly gue: Set<Family>;
  /** A program of the pod has the port. */
  isGuePortTaken: boolean;
}

export interface PodNetworkCall {
  readonly kind: 'read' | 'ensure' | 'restore';
  readonly path: string;
  readonly tunnel: PodTunnel;
}

/** The fake, with what only tests do to it. */
export interface FakePodNetwork extends PodNetworkPort {
  readonly failNext: Faults<PodNetworkCall>['failNext'];
  /** Calls that were carried out, in order. */
  readonly calls: readonly PodNetworkCall[];
  /** Puts a namespace at a path, in the place of the one there. */
  addPod(path: string, pod?: Partial<FakePodNamespace>): FakePodNamespace;
  removePod(path: string): void;
}

export function fakePodNetwork(): FakePodNetwork {
  const pods = new Map<string, { readonly identity: string; readonly pod: FakePodNamespace }>();
  const faults = createFaults<PodNetworkCall>();
  const calls: PodNetworkCall[] = [];
  let made = 0;
  const enter = (namespace: PodNamespace, call: PodNetworkCall): FakePodNamespace => {
    const there = pods.get(namespace.path);
    const refused = faults.refusal(call, () => {
      if (there === undefined) return errno.ENOENT;
      return there.identity === namespace.identity ? 0 : errno.ESTALE;
    });
    if (refused !== 0 || there === undefined)
      throw new KernelError(`enter network namespace ${namespace.path}`, refused);
    calls.push(call);
    return there.pod;
  };
  return {
    failNext: faults.failNext,
    calls,
    addPod: (path, given = {}) => {
      made += 1;
      const pod = { ...emptyPod(), ...given };
      pods.set(path, { identity: `4:${made}`, pod });
      return pod;
    },
    removePod: (path) => {
      pods.delete(path);
    },
    identify: (path) => pods.get(path)?.identity,
    read: (namespace, tunnel) => read(enter(namespace, { kind: 'read', path: namespace.path, tunnel }), tunnel),
    ensure: (namespace, tunnel, before) =>
      ensure(enter(namespace, { kind: 'ensure', path: namespace.path, tunnel }), tunnel, before),
    restore: (namespace, tunnel, before) =>
      restore(enter(namespace, { kind: 'restore', path: namespace.path, tunnel }), tunnel, before),
  };
}

function emptyPod(): FakePodNamespace {
  return { addresses: [], arpIgnore: 0, arpAnnounce: 0, tunnels: new Map(), gue: new Set(), isGuePortTaken: false };
}

function read(pod: FakePodNamespace, { address, encapsulation }: PodTunnel): PodTunnelReading {
  const { arpIgnore, arpAnnounce } = pod;
  const hasAddress = pod.addresses.includes(address);
  return {
    device: hasAddress ? { name: 'eth0', arpIgnore, arpAnnounce } : undefined,
    tunnel: pod.tunnels.get(familyOf(address)),
    gue: encapsulation === 'gue' ? pod.gue.has(familyOf(address)) : undefined,
  };
}

function ensure(pod: FakePodNamespace, tunnel: PodTunnel, before: PodTunnelReading): void {
  const { address, vips, encapsulation } = tunnel;
  const family = familyOf(address);
  if (!pod.addresses.includes(address)) {
    throw new KernelError(`find the pod’s interface with the address ${address}`, errno.EADDRNOTAVAIL);
  }
  const there = pod.tunnels.get(family);
  const fits = there?.kind === tunnelKindOf(family) && there.local === address;
  if (there !== undefined && !fits && !there.isOurs) {
    throw new KernelError(`make interface ${tunnelDeviceOf(family)}`, errno.EEXIST);
  }
  const kept = fits ? there.vips.filter((vip) => before.tunnel?.vips.includes(vip) === true) : [];
  pod.tunnels.set(family, {
    kind: tunnelKindOf(family),
    local: address,
    isUp: true,
    rpFilter: family === 'IPv4' ? looseReversePath : (there?.rpFilter ?? 0),
    isOurs: before.tunnel === undefined || there?.isOurs === true,
    vips: [...new Set([...kept, ...vips])].sort(),
  });
  if (family === 'IPv4') {
    pod.arpIgnore = arpIgnoreWith(pod.arpIgnore);
    pod.arpAnnounce = arpAnnounceWith(pod.arpAnnounce);
  }
  if (encapsulation !== 'gue') return;
  if (pod.isGuePortTaken) throw new KernelError('open UDP port for GUE', errno.EADDRINUSE);
  pod.gue.add(family);
}

function restore(pod: FakePodNamespace, tunnel: PodTunnel, before: PodTunnelReading): void {
  const family = familyOf(tunnel.address);
  const there = pod.tunnels.get(family);
  if (before.tunnel === undefined) {
    if (there?.isOurs === true || there?.local === tunnel.address) pod.tunnels.delete(family);
  } else if (there !== undefined) {
    const { vips, rpFilter } = before.tunnel;
    const left = there.vips.filter((vip) => !tunnel.vips.includes(vip) || vips.includes(vip));
    pod.tunnels.set(family, {
      ...there,
      vips: left,
      rpFilter: there.rpFilter === looseReversePath ? rpFilter : there.rpFilter,
    });
  }
  const { device } = before;
  if (family === 'IPv4' && device !== undefined && pod.addresses.includes(tunnel.address)) {
    if (pod.arpIgnore === arpIgnoreWith(device.arpIgnore)) pod.arpIgnore = device.arpIgnore;
    if (pod.arpAnnounce === arpAnnounceWith(device.arpAnnounce)) pod.arpAnnounce = device.arpAnnounce;
  }
  if (before.gue === false) pod.gue.delete(family);
}
