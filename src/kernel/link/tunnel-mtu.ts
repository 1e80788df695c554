import type { Family } from '../../core/model/facts.ts';
import type { Encapsulation } from '../../core/model/pod-tunnel.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { dumpLinks } from './interface.ts';

/** The header that a tunnel puts in front of each packet; IPVS adds no encapsulation limit to that of IPv6. */
const outerHeader: Readonly<Record<Family, number>> = { IPv4: 20, IPv6: 40 };
/** GUE adds a UDP header and its own, without options (ip_vs_tunnel_xmit, struct guehdr). */
const between: Readonly<Record<Encapsulation, number>> = { ipip: 0, gue: 12 };

/**
 * How large a packet through a tunnel may be on any way that leads over this node, in bytes: what the interface with the
 * smallest MTU leaves. Loopback and dummy interfaces carry nothing. Throws KernelError.
 */
export function readTunnelMtu(socket: NetlinkSocket): (family: Family, encapsulation: Encapsulation) => number {
  const carrying = dumpLinks(socket).filter(({ isUp, kind, name }) => isUp && kind !== 'dummy' && name !== 'lo');
  const smallest = Math.min(...carrying.map(({ mtu }) => mtu).filter((mtu) => mtu > 0), ethernet);
  return (family, encapsulation) => smallest - outerHeader[family] - between[encapsulation];
}

const ethernet = 1500;
