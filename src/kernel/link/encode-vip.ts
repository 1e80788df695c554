/** The rtnetlink messages that make and remove one VIP. */

import { addressBits, addressBytes, familyOf } from '../../core/address.ts';
import type { Vip } from '../../core/model/vip.ts';
import { beginNest, endNest, putBytes, putU32 } from '../netlink/attribute-writer.ts';
import { type Batch, beginMessage, endMessage, putHeader } from '../netlink/batch.ts';
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../netlink/constants.ts';
import { familyNumberOf } from './address-family.ts';
import { routeMetric, routeProtocol } from './identity.ts';
import {
  addressHeaderLength,
  IFA_ADDRESS,
  IFA_CACHEINFO,
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  IFA_FLAGS,
  IFA_LOCAL,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_LOCAL,
  RT_TABLE_MAIN,
  RTA_DST,
  RTA_METRICS,
  RTA_OIF,
  RTA_PREFSRC,
  RTA_PRIORITY,
  RTAX_MTU,
  RTM_DELADDR,
  RTM_DELROUTE,
  RTM_NEWADDR,
  RTM_NEWROUTE,
  RTN_LOCAL,
  RTN_UNICAST,
  RTPROT_KERNEL,
  routeHeaderLength,
} from './rtnetlink.ts';

/** Sluice's local route to the VIP, in place of the one it may have already. EINVAL: the source is no local address. */
export function putVipRoute(batch: Batch, interfaceIndex: number, vip: Vip): void {
  beginMessage(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
  putRoute(batch, vip.address, routeProtocol);
  putU32(batch, RTA_PRIORITY, routeMetric);
  if (vip.source !== undefined) putBytes(batch, RTA_PREFSRC, addressBytes(vip.source));
  putU32(batch, RTA_OIF, interfaceIndex);
  endMessage(batch);
}

/** Removes sluice's local route. ESRCH: there is none. */
export function putVipRouteRemoval(batch: Batch, interfaceIndex: number, address: string): void {
  beginMessage(batch, RTM_DELROUTE, 0);
  putRoute(batch, address, routeProtocol);
  putU32(batch, RTA_PRIORITY, routeMetric);
  putU32(batch, RTA_OIF, interfaceIndex);
  endMessage(batch);
}

/**
 * The ordinary route to a steered VIP, in place of the one it may have already. It gives processes of the node their
 * source, and says by its MTU how much room a tunnel leaves. Looked up without the steering mark it ends at the VIP
 * interface, where nothing is sent on.
 */
export function putSteeredRoute(batch: Batch, interfaceIndex: number, vip: Vip, mtu: number): void {
  beginMessage(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
  putRoute(batch, vip.address, routeProtocol, steeredRoute);
  putU32(batch, RTA_PRIORITY, routeMetric);
  if (vip.source !== undefined) putBytes(batch, RTA_PREFSRC, addressBytes(vip.source));
  putU32(batch, RTA_OIF, interfaceIndex);
  const metrics = beginNest(batch, RTA_METRICS);
  putU32(batch, RTAX_MTU, mtu);
  endNest(batch, metrics);
  endMessage(batch);
}

/** Removes the route of a steered VIP. ESRCH: there is none. */
export function putSteeredRouteRemoval(batch: Batch, interfaceIndex: number, address: string): void {
  beginMessage(batch, RTM_DELROUTE, 0);
  putRoute(batch, address, routeProtocol, steeredRoute);
  putU32(batch, RTA_PRIORITY, routeMetric);
  putU32(batch, RTA_OIF, interfaceIndex);
  endMessage(batch);
}

/**
 * Removes the local route that the kernel adds with every address: its source is the address itself, and it stands
 * before sluice's. The same message removes the one that kube-router leaves, which carries the kernel's protocol
 * number too. ESRCH: there is none.
 */
export function putKernelRouteRemoval(batch: Batch, interfaceIndex: number, address: string): void {
  beginMessage(batch, RTM_DELROUTE, 0);
  putRoute(batch, address, RTPROT_KERNEL);
  putU32(batch, RTA_OIF, interfaceIndex);
  endMessage(batch);
}

/**
 * The address, which the kernel must never choose as the source of other traffic, nor of masquerade. IPv4: by its scope,
 * link. IPv6: as deprecated, a preferred lifetime of 0 (RFC 6724, rule 3); further no duplicate address detection
 * (several nodes hold it) and no prefix route. EEXIST: it is there.
 */
export function putVipAddress(batch: Batch, interfaceIndex: number, address: string): void {
  beginMessage(batch, RTM_NEWADDR, NLM_F_CREATE);
  putAddress(batch, interfaceIndex, address);
  // In IPv4 the second flag means nothing for a single host, and the first nothing at all.
  if (familyOf(address) === 'IPv6') {
    putU32(batch, IFA_FLAGS, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
    putBytes(batch, IFA_CACHEINFO, deprecatedForever);
  }
  endMessage(batch);
}

/** The address as kube-proxy gives it to its own interface: of global scope, without flags. EEXIST: it is there. */
export function putGlobalAddress(batch: Batch, interfaceIndex: number, address: string): void {
  beginMessage(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  putAddress(batch, interfaceIndex, address, RT_SCOPE_UNIVERSE);
  endMessage(batch);
}

/** Removes the address. EADDRNOTAVAIL: it is not there. */
export function putVipAddressRemoval(batch: Batch, interfaceIndex: number, address: string): void {
  beginMessage(batch, RTM_DELADDR, 0);
  putAddress(batch, interfaceIndex, address);
  endMessage(batch);
}

/** `ifa_cacheinfo`: preferred lifetime 0, valid for ever (INFINITY_LIFE_TIME), no times of creation and change. */
const deprecatedForever = new Uint8Array(new Uint32Array([0, 0xffffffff, 0, 0]).buffer);

/** `ifaddrmsg` and the address as a single host. */
function putAddress(batch: Batch, interfaceIndex: number, address: string, scopeOfIPv4: number = RT_SCOPE_LINK): void {
  const family = familyOf(address);
  const header = new DataView(new ArrayBuffer(addressHeaderLength));
  header.setUint8(0, familyNumberOf(address));
  header.setUint8(1, addressBits(family));
  header.setUint8(3, family === 'IPv4' ? scopeOfIPv4 : RT_SCOPE_UNIVERSE);
  header.setUint32(4, interfaceIndex, true);
  putHeader(batch, new Uint8Array(header.buffer));
  const bytes = addressBytes(address);
  putBytes(batch, IFA_LOCAL, bytes);
  putBytes(batch, IFA_ADDRESS, bytes);
}

interface RouteKind {
  readonly table: number;
  readonly type: number;
  /** In IPv4. */
  readonly scope: number;
}

const localRoute: RouteKind = { table: RT_TABLE_LOCAL, type: RTN_LOCAL, scope: RT_SCOPE_HOST };
const steeredRoute: RouteKind = { table: RT_TABLE_MAIN, type: RTN_UNICAST, scope: RT_SCOPE_LINK };

/** `rtmsg` and the destination. */
function putRoute(batch: Batch, address: string, protocol: number, kind = localRoute): void {
  const family = familyOf(address);
  const header = new Uint8Array(routeHeaderLength);
  header[0] = familyNumberOf(address);
  header[1] = addressBits(family);
  header[4] = kind.table;
  header[5] = protocol;
  // IPv6 has no scopes of routes.
  header[6] = family === 'IPv4' ? kind.scope : RT_SCOPE_UNIVERSE;
  header[7] = kind.type;
  putHeader(batch, header);
  putBytes(batch, RTA_DST, addressBytes(address));
}
