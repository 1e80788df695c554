/** Finds, makes and removes the VIP interface. */

import { errno, isKernelError } from '../error.ts';
import { beginNest, endNest, putString, putU32 } from '../netlink/attribute-writer.ts';
import { type Batch, beginMessage, createBatch, endMessage } from '../netlink/batch.ts';
import { NLM_F_CREATE, NLM_F_EXCL } from '../netlink/constants.ts';
import { dump } from '../netlink/dump.ts';
import { request } from '../netlink/request.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { type Link, readLink } from './decode-link.ts';
import { interfaceAlias } from './identity.ts';
import { perform, putLinkHeader } from './link-message.ts';
import {
  IFF_UP,
  IFLA_EXT_MASK,
  IFLA_IFALIAS,
  IFLA_IFNAME,
  IFLA_INFO_KIND,
  IFLA_LINKINFO,
  RTEXT_FILTER_SKIP_STATS,
  RTM_DELLINK,
  RTM_GETLINK,
  RTM_NEWLINK,
} from './rtnetlink.ts';

/** The interface of that name; undefined when there is none. Throws KernelError. */
export function findLink(socket: NetlinkSocket, name: string): Link | undefined {
  const batch = createBatch(256);
  beginMessage(batch, RTM_GETLINK, 0);
  putLinkHeader(batch, 0, 0);
  putString(batch, IFLA_IFNAME, name);
  putU32(batch, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  endMessage(batch);
  try {
    return request(socket, `find interface ${name}`, batch, readLink)[0];
  } catch (thrown) {
    if (isKernelError(thrown) && thrown.errno === errno.ENODEV) return undefined;
    throw thrown;
  }
}

/** Every interface of the network namespace. Throws KernelError. */
export function dumpLinks(socket: NetlinkSocket): readonly Link[] {
  return dump(socket, 'dump interfaces', questionAboutLinks(), readLink);
}

/** What a dump of all interfaces asks for; without their counters. */
export function questionAboutLinks(): Batch {
  const batch = createBatch(256);
  beginMessage(batch, RTM_GETLINK, 0);
  putLinkHeader(batch, 0, 0);
  putU32(batch, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  endMessage(batch);
  return batch;
}

/** Makes a dummy interface with sluice's alias. False when an interface of that name exists. Throws KernelError. */
export function createDummy(socket: NetlinkSocket, name: string): boolean {
  const batch = createBatch(512);
  beginMessage(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  putLinkHeader(batch, 0, 0);
  putString(batch, IFLA_IFNAME, name);
  const information = beginNest(batch, IFLA_LINKINFO);
  putString(batch, IFLA_INFO_KIND, 'dummy');
  endNest(batch, information);
  endMessage(batch);
  const created = perform(socket, `make interface ${name}`, batch, errno.EEXIST);
  // The alias is not among the attributes that creation takes (rtnl_create_link).
  if (created) changeLink(socket, name, { alias: interfaceAlias });
  return created;
}

/** Sets an interface up. Throws KernelError. */
export function setUp(socket: NetlinkSocket, name: string): void {
  changeLink(socket, name, { flags: IFF_UP });
}

/** Removes an interface. False when there is none. Throws KernelError. */
export function deleteLink(socket: NetlinkSocket, link: Link): boolean {
  const batch = createBatch(256);
  beginMessage(batch, RTM_DELLINK, 0);
  putLinkHeader(batch, link.index, 0);
  endMessage(batch);
  return perform(socket, `remove interface ${link.name}`, batch, errno.ENODEV);
}

function changeLink(
  socket: NetlinkSocket,
  name: string,
  change: { readonly alias?: string; readonly flags?: number },
): void {
  const batch = createBatch(256);
  beginMessage(batch, RTM_NEWLINK, 0);
  putLinkHeader(batch, 0, change.flags ?? 0);
  putString(batch, IFLA_IFNAME, name);
  if (change.alias !== undefined) putString(batch, IFLA_IFALIAS, change.alias);
  endMessage(batch);
  perform(socket, `change interface ${name}`, batch, 0);
}
