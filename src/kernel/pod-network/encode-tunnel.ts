/** The rtnetlink messages that make a tunnel device and set what concerns it. */

import { addressBytes, familyOf } from '../../core/address.ts';
import { putLinkHeader } from '../link/link-message.ts';
import {
  AF_INET,
  AF_INET6,
  IFF_UP,
  IFLA_IFALIAS,
  IFLA_IFNAME,
  IFLA_INFO_KIND,
  IFLA_LINKINFO,
  RTM_NEWLINK,
} from '../link/rtnetlink.ts';
import { beginNest, endNest, putBytes, putString, putU8, putU32 } from '../netlink/attribute-writer.ts';
import { type Batch, beginMessage, endMessage } from '../netlink/batch.ts';
import { NLM_F_CREATE, NLM_F_EXCL } from '../netlink/constants.ts';
import { tunnelDeviceOf, tunnelKindOf } from './identity.ts';
import {
  IFLA_AF_SPEC,
  IFLA_INET_CONF,
  IFLA_INET6_ADDR_GEN_MODE,
  IFLA_INFO_DATA,
  IFLA_IPTUN_LOCAL,
  IFLA_IPTUN_PROTO,
  IN6_ADDR_GEN_MODE_NONE,
  IPPROTO_IPV6,
} from './numbers.ts';

/**
 * A device that unwraps what arrives at `local`, from whomever: a node has many ways to reach a pod, and the far end is
 * whichever director the packet came from. Nothing is ever sent through it.
 */
export function putTunnel(batch: Batch, local: string): void {
  const family = familyOf(local);
  beginMessage(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  putLinkHeader(batch, 0, 0);
  putString(batch, IFLA_IFNAME, tunnelDeviceOf(family));
  const information = beginNest(batch, IFLA_LINKINFO);
  putString(batch, IFLA_INFO_KIND, tunnelKindOf(family));
  const data = beginNest(batch, IFLA_INFO_DATA);
  // ip6tnl takes IPv4 inside too unless told otherwise; ipip takes nothing but IPv4.
  if (family === 'IPv6') putU8(batch, IFLA_IPTUN_PROTO, IPPROTO_IPV6);
  putBytes(batch, IFLA_IPTUN_LOCAL, addressBytes(local));
  endNest(batch, data);
  endNest(batch, information);
  endMessage(batch);
}

/** Gives an interface its alias. */
export function putAlias(batch: Batch, index: number, alias: string): void {
  beginMessage(batch, RTM_NEWLINK, 0);
  putLinkHeader(batch, index, 0);
  putString(batch, IFLA_IFALIAS, alias);
  endMessage(batch);
}

/** Sets an interface up. */
export function putUp(batch: Batch, index: number): void {
  beginMessage(batch, RTM_NEWLINK, 0);
  putLinkHeader(batch, index, IFF_UP);
  endMessage(batch);
}

/**
 * Sets `net.ipv4.conf.NAME.*` of an interface, by IPV4_DEVCONF_*: without a writable /proc/sys, which a container has
 * only if it is privileged.
 */
export function putIPv4Setting(
  batch: Batch,
  index: number,
  setting: { readonly number: number; readonly value: number },
): void {
  putFamilySettings(batch, index, AF_INET, () => {
    const settings = beginNest(batch, IFLA_INET_CONF);
    putU32(batch, setting.number, setting.value);
    endNest(batch, settings);
  });
}

/** No link-local address when the interface comes up: nobody is on the other side. */
export function putNoLinkLocal(batch: Batch, index: number): void {
  putFamilySettings(batch, index, AF_INET6, () => putU8(batch, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE));
}

function putFamilySettings(batch: Batch, index: number, family: number, put: () => void): void {
  beginMessage(batch, RTM_NEWLINK, 0);
  putLinkHeader(batch, index, 0);
  const families = beginNest(batch, IFLA_AF_SPEC);
  const ofFamily = beginNest(batch, family);
  put();
  endNest(batch, ofFamily);
  endNest(batch, families);
  endMessage(batch);
}
