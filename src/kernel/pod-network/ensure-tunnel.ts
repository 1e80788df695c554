/**
 * Prepares a pod to answer for VIPs. Whatever half is there is completed, and in an order in which no half does harm:
 * the device, then what keeps the VIPs from being told to the neighbours, then the VIPs.
 */

import { familyOf } from '../../core/address.ts';
import { guePort, type PodTunnel } from '../../core/model/pod-tunnel.ts';
import { errno, KernelError } from '../error.ts';
import { putVipAddress, putVipAddressRemoval } from '../link/encode-vip.ts';
import { tell } from '../link/link-message.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import type { PodTunnelReading } from '../ports.ts';
import { putAlias, putIPv4Setting, putNoLinkLocal, putTunnel, putUp } from './encode-tunnel.ts';
import { addGuePort, hasGuePort } from './fou.ts';
import { tunnelAlias, tunnelDeviceOf, tunnelKindOf } from './identity.ts';
import { IPV4_DEVCONF_ARP_ANNOUNCE, IPV4_DEVCONF_ARP_IGNORE, IPV4_DEVCONF_RP_FILTER } from './numbers.ts';
import { type NumberedReading, type PodSockets, readTunnel } from './read-tunnel.ts';
import { deleteTunnel } from './restore-tunnel.ts';
import { arpAnnounceWith, arpIgnoreWith, looseReversePath } from './settings.ts';

/** `before` is what the namespace had before sluice came to it. Throws KernelError. */
export function ensureTunnel(sockets: PodSockets, tunnel: PodTunnel, before: PodTunnelReading): void {
  const { route } = sockets;
  requireDevice(readTunnel(sockets, tunnel), tunnel);
  const found = ensureDevice(sockets, tunnel, before);
  const index = found.tunnelIndex;
  if (familyOf(tunnel.address) === 'IPv4') {
    setIPv4(route, index, [IPV4_DEVCONF_RP_FILTER, found.tunnel.rpFilter, looseReversePath]);
    keepVipsFromNeighbours(route, found);
  } else if (!found.tunnel.isUp) {
    tell(route, `keep ${tunnelDeviceOf('IPv6')} without a link-local address`, (batch) => putNoLinkLocal(batch, index));
  }
  if (!found.tunnel.isUp)
    tell(route, `set ${tunnelDeviceOf(familyOf(tunnel.address))} up`, (batch) => putUp(batch, index));
  setVips(route, index, { there: found.tunnel.vips, wanted: tunnel.vips, kept: before.tunnel?.vips ?? [] });
  if (tunnel.encapsulation === 'gue') ensureGue(sockets.generic(), tunnel);
}

/** A reading in which everything that the rest works on is there. */
interface Found extends NumberedReading {
  readonly tunnel: NonNullable<PodTunnelReading['tunnel']>;
  readonly tunnelIndex: number;
}

function requireDevice({ device }: NumberedReading, { address }: PodTunnel): void {
  if (device !== undefined) return;
  throw new KernelError(`find the pod’s interface with the address ${address}`, errno.EADDRNOTAVAIL);
}

/** Makes the tunnel device; one of sluice's with another end (a restored checkpoint) is made anew. */
function ensureDevice(sockets: PodSockets, tunnel: PodTunnel, before: PodTunnelReading): Found {
  const family = familyOf(tunnel.address);
  const name = tunnelDeviceOf(family);
  const there = readTunnel(sockets, tunnel);
  if (there.tunnel?.isOurs === true && !fits(there.tunnel, tunnel)) deleteTunnel(sockets.route, family);
  tell(sockets.route, `make interface ${name}`, (batch) => putTunnel(batch, tunnel.address), errno.EEXIST);
  const found = readTunnel(sockets, tunnel);
  if (found.tunnel === undefined || found.tunnelIndex === undefined) {
    throw new KernelError(`make interface ${name}: it went away again`, errno.ENODEV);
  }
  if (!fits(found.tunnel, tunnel)) {
    const { kind, local = 'no address' } = found.tunnel;
    const what = `another program has one of kind ${kind} with ${local}, expected ${tunnelKindOf(family)} with ${tunnel.address}`;
    throw new KernelError(`make interface ${name}: ${what}`, errno.EEXIST);
  }
  const index = found.tunnelIndex;
  // The alias is not among the attributes that creation takes (rtnl_create_link).
  if (before.tunnel === undefined && !found.tunnel.isOurs) {
    tell(sockets.route, `name interface ${name} sluice’s`, (batch) => putAlias(batch, index, tunnelAlias));
  }
  return { ...found, tunnel: found.tunnel, tunnelIndex: index };
}

function fits({ kind, local }: Found['tunnel'], { address }: PodTunnel): boolean {
  return kind === tunnelKindOf(familyOf(address)) && local === address;
}

/**
 * A VIP is an address of the whole pod to ARP: without these settings the pod would answer for it on a network that it
 * shares with the nodes (macvlan), and ask for its gateway with it as the sender, so that the gateway learns the VIP to
 * be there. IPv6 asks and answers for addresses of the interface alone (ndisc_recv_ns, ndisc_solicit).
 */
function keepVipsFromNeighbours(socket: NetlinkSocket, { device, deviceIndex }: NumberedReading): void {
  if (device === undefined || deviceIndex === undefined) return;
  setIPv4(socket, deviceIndex, [IPV4_DEVCONF_ARP_IGNORE, device.arpIgnore, arpIgnoreWith(device.arpIgnore)]);
  setIPv4(socket, deviceIndex, [IPV4_DEVCONF_ARP_ANNOUNCE, device.arpAnnounce, arpAnnounceWith(device.arpAnnounce)]);
}

function setIPv4(
  socket: NetlinkSocket,
  index: number,
  setting: readonly [number: number, from: number, to: number],
): void {
  const [number, from, to] = setting;
  if (from === to) return;
  tell(socket, 'set an IPv4 setting of an interface of the pod', (batch) =>
    putIPv4Setting(batch, index, { number, value: to }),
  );
}

interface Vips {
  readonly there: readonly string[];
  readonly wanted: readonly string[];
  /** Those that others put there. */
  readonly kept: readonly string[];
}

function setVips(socket: NetlinkSocket, index: number, { there, wanted, kept }: Vips): void {
  for (const vip of wanted.filter((each) => !there.includes(each))) {
    tell(socket, `add VIP ${vip} in the pod`, (batch) => putVipAddress(batch, index, vip), errno.EEXIST);
  }
  for (const vip of there.filter((each) => !wanted.includes(each) && !kept.includes(each))) {
    tell(
      socket,
      `remove VIP ${vip} in the pod`,
      (batch) => putVipAddressRemoval(batch, index, vip),
      errno.EADDRNOTAVAIL,
    );
  }
}

function ensureGue(socket: NetlinkSocket, { address }: PodTunnel): void {
  const family = familyOf(address);
  if (hasGuePort(socket, family) || addGuePort(socket, family) || hasGuePort(socket, family)) return;
  throw new KernelError(`open UDP port ${guePort} for GUE: a program of the pod has it`, errno.EADDRINUSE);
}
