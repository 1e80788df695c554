/** Takes back what sluice did in a pod's network namespace. */

import { familyOf } from '../../core/address.ts';
import type { Family } from '../../core/model/facts.ts';
import type { PodTunnel } from '../../core/model/pod-tunnel.ts';
import { errno } from '../error.ts';
import { putVipAddressRemoval } from '../link/encode-vip.ts';
import { deleteLink, findLink } from '../link/interface.ts';
import { tell } from '../link/link-message.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import type { PodTunnelReading } from '../ports.ts';
import { putIPv4Setting } from './encode-tunnel.ts';
import { removeGuePort } from './fou.ts';
import { tunnelDeviceOf } from './identity.ts';
import { IPV4_DEVCONF_ARP_ANNOUNCE, IPV4_DEVCONF_ARP_IGNORE, IPV4_DEVCONF_RP_FILTER } from './numbers.ts';
import { type NumberedReading, type PodSockets, readTunnel } from './read-tunnel.ts';
import { arpAnnounceWith, arpIgnoreWith, looseReversePath } from './settings.ts';

/**
 * Makes the namespace what it was `before`. A step that fails does not stop the others; the first error is thrown in the
 * end. What another hand changed since stays as that hand left it. Throws KernelError.
 */
export function restoreTunnel(sockets: PodSockets, tunnel: PodTunnel, before: PodTunnelReading): void {
  const family = familyOf(tunnel.address);
  const found = readTunnel(sockets, tunnel);
  const errors: unknown[] = [];
  const attempt = (step: () => void): void => {
    try {
      step();
    } catch (error) {
      errors.push(error);
    }
  };
  attempt(() => restoreDevice(sockets.route, { found, before, tunnel }));
  if (family === 'IPv4') attempt(() => restoreArp(sockets.route, found, before));
  if (before.gue === false) attempt(() => removeGuePort(sockets.generic(), family));
  if (errors.length > 0) throw errors[0];
}

/** Removes the tunnel device of a family, if there is one. Throws KernelError. */
export function deleteTunnel(socket: NetlinkSocket, family: Family): void {
  const link = findLink(socket, tunnelDeviceOf(family));
  if (link !== undefined) deleteLink(socket, link);
}

interface Restored {
  readonly found: NumberedReading;
  readonly before: PodTunnelReading;
  readonly tunnel: PodTunnel;
}

/** A device without the alias is sluice's too where none was before: a crash came between the two. */
function restoreDevice(socket: NetlinkSocket, { found, before, tunnel }: Restored): void {
  const index = found.tunnelIndex;
  if (found.tunnel === undefined || index === undefined) return;
  if (before.tunnel === undefined) {
    if (found.tunnel.isOurs || found.tunnel.local === tunnel.address) deleteTunnel(socket, familyOf(tunnel.address));
    return;
  }
  const { vips, rpFilter } = before.tunnel;
  for (const vip of found.tunnel.vips.filter((each) => tunnel.vips.includes(each) && !vips.includes(each))) {
    tell(
      socket,
      `remove VIP ${vip} in the pod`,
      (batch) => putVipAddressRemoval(batch, index, vip),
      errno.EADDRNOTAVAIL,
    );
  }
  setBack(socket, index, {
    number: IPV4_DEVCONF_RP_FILTER,
    set: looseReversePath,
    there: found.tunnel.rpFilter,
    before: rpFilter,
  });
}

function restoreArp(socket: NetlinkSocket, { device, deviceIndex }: NumberedReading, before: PodTunnelReading): void {
  const was = before.device;
  if (device === undefined || deviceIndex === undefined || was === undefined) return;
  const { arpIgnore, arpAnnounce } = was;
  const settings = [
    { number: IPV4_DEVCONF_ARP_IGNORE, set: arpIgnoreWith(arpIgnore), there: device.arpIgnore, before: arpIgnore },
    {
      number: IPV4_DEVCONF_ARP_ANNOUNCE,
      set: arpAnnounceWith(arpAnnounce),
      there: device.arpAnnounce,
      before: arpAnnounce,
    },
  ];
  for (const setting of settings) setBack(socket, deviceIndex, setting);
}

interface Setting {
  readonly number: number;
  /** What sluice made of it. */
  readonly set: number;
  readonly there: number;
  readonly before: number;
}

function setBack(socket: NetlinkSocket, index: number, { number, set, there, before }: Setting): void {
  if (there !== set || there === before) return;
  tell(socket, 'set back an IPv4 setting of an interface of the pod', (batch) =>
    putIPv4Setting(batch, index, { number, value: before }),
  );
}
