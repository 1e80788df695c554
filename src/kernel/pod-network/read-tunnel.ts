/** Reads what a pod's network namespace has of a tunnel. */

import { familyOf } from '../../core/address.ts';
import type { PodTunnel } from '../../core/model/pod-tunnel.ts';
import { isLinkLocal } from '../link/decode-address.ts';
import { dumpAddresses } from '../link/dump-vips.ts';
import { questionAboutLinks } from '../link/interface.ts';
import { dump } from '../netlink/dump.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import type { PodTunnelReading } from '../ports.ts';
import { type Device, readDevice } from './decode-device.ts';
import { hasGuePort } from './fou.ts';
import { tunnelAlias, tunnelDeviceOf } from './identity.ts';

/** A reading with the numbers that messages need. */
export interface NumberedReading extends PodTunnelReading {
  readonly deviceIndex: number | undefined;
  readonly tunnelIndex: number | undefined;
}

/** Opens nothing and changes nothing. Throws KernelError. */
export function readTunnel(sockets: PodSockets, { address, encapsulation }: PodTunnel): NumberedReading {
  const family = familyOf(address);
  const devices = dump(sockets.route, 'dump interfaces of the pod', questionAboutLinks(), readDevice);
  const addresses = dumpAddresses(sockets.route);
  const holder = addresses.find((each) => each.address === address)?.interfaceIndex;
  const device = devices.find(({ index }) => index === holder);
  const tunnel = devices.find(({ name }) => name === tunnelDeviceOf(family));
  const vips = addresses.filter((each) => each.interfaceIndex === tunnel?.index).map((each) => each.address);
  return {
    device: device === undefined ? undefined : podDevice(device),
    tunnel:
      tunnel === undefined
        ? undefined
        : tunnelState(tunnel, vips.filter((vip) => familyOf(vip) === family && !isLinkLocal(vip)).sort()),
    gue: encapsulation === 'gue' ? hasGuePort(sockets.generic(), family) : undefined,
    deviceIndex: device?.index,
    tunnelIndex: tunnel?.index,
  };
}

/** The netlink sockets of one namespace. */
export interface PodSockets {
  readonly route: NetlinkSocket;
  /** Opened when it is asked for. */
  readonly generic: () => NetlinkSocket;
}

function podDevice({ name, arpIgnore, arpAnnounce }: Device): PodTunnelReading['device'] {
  return { name, arpIgnore, arpAnnounce };
}

function tunnelState(tunnel: Device, vips: readonly string[]): PodTunnelReading['tunnel'] {
  const { kind, local, isUp, rpFilter, alias } = tunnel;
  return { kind, local, isUp, rpFilter, isOurs: alias === tunnelAlias, vips };
}
