import type { Family } from '../../core/model/facts.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { dumpLinks } from './interface.ts';

/** What a tunnel puts in front of each packet: an IPv4 header, or an IPv6 one (IPVS adds no encapsulation limit). */
const overhead: Readonly<Record<Family, number>> = { IPv4: 20, IPv6: 40 };

/**
 * How large a packet through a tunnel may be on any way that leads over this node, in bytes: what the interface with the
 * smallest MTU leaves. Loopback and dummy interfaces carry nothing. Throws KernelError.
 */
export function readTunnelMtu(socket: NetlinkSocket): (family: Family) => number {
  const carrying = dumpLinks(socket).filter(({ isUp, kind, name }) => isUp && kind !== 'dummy' && name !== 'lo');
  const smallest = Math.min(...carrying.map(({ mtu }) => mtu).filter((mtu) => mtu > 0), ethernet);
  return (family) => smallest - overhead[family];
}

const ethernet = 1500;
