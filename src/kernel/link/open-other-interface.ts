/** Interfaces of other service proxies: what is on them, and their end. */

import { errno, KernelError } from '../error.ts';
import { NETLINK_ROUTE } from '../netlink/constants.ts';
import { closeNetlinkSocket, openNetlinkSocket } from '../netlink/socket.ts';
import { isLinkLocal } from './decode-address.ts';
import { dumpAddresses } from './dump-vips.ts';
import { putGlobalAddress } from './encode-vip.ts';
import { steeringTable } from './identity.ts';
import { deleteLink, findLink } from './interface.ts';
import { tell } from './link-message.ts';
import { readOtherRoutes, readOtherRules, removeOtherRoute, removeOtherRule } from './other-rules.ts';

export interface OtherInterfacePort {
  /** The addresses on a dummy interface, except IPv6 link-local; undefined when there is none of that name and kind. */
  addresses(name: string): readonly string[] | undefined;
  /** Puts addresses on a dummy interface that is there, as kube-proxy does. One that is on it already is well. Throws KernelError. */
  addAddresses(name: string, addresses: readonly string[]): void;
  /** Removes the interface with all its addresses. Throws KernelError. */
  remove(name: string): 'removed' | 'absent';
  /** kube-router's policy routing: `rule IPv4 priority 32765 lookup 79`. Throws KernelError. */
  routing(): readonly string[];
  /** Removes what `routing` lists. Throws KernelError. */
  removeRouting(): void;
  close(): void;
}

/** Opens the port. `networkNamespace` is the path of a namespace, for tests. Throws KernelError. */
export function openOtherInterface(options: { readonly networkNamespace?: string } = {}): OtherInterfacePort {
  const socket = openNetlinkSocket({ protocol: NETLINK_ROUTE, ...options });
  const find = (name: string): ReturnType<typeof findLink> => {
    const link = findLink(socket, name);
    return link?.kind === 'dummy' ? link : undefined;
  };
  return {
    addresses: (name) => {
      const index = find(name)?.index;
      if (index === undefined) return undefined;
      return dumpAddresses(socket)
        .filter(({ interfaceIndex, address }) => interfaceIndex === index && !isLinkLocal(address))
        .map(({ address }) => address);
    },
    addAddresses: (name, addresses) => {
      const link = find(name);
      if (link === undefined) throw new KernelError(`put addresses on ${name}`, errno.ENODEV);
      for (const address of addresses) {
        tell(
          socket,
          `put ${address} on ${name}`,
          (batch) => putGlobalAddress(batch, link.index, address),
          errno.EEXIST,
        );
      }
    },
    remove: (name) => {
      const link = find(name);
      return link !== undefined && deleteLink(socket, link) ? 'removed' : 'absent';
    },
    routing: () => [
      ...readOtherRules(socket).map(
        ({ family, priority, table, mark }) =>
          `rule ${family} priority ${priority}${mark === undefined ? '' : ` fwmark ${mark.value}`} lookup ${table}`,
      ),
      ...readOtherRoutes(socket).map(({ family }) => `route ${family} local default table ${steeringTable}`),
    ],
    removeRouting: () => {
      for (const rule of readOtherRules(socket)) removeOtherRule(socket, rule);
      for (const route of readOtherRoutes(socket)) removeOtherRoute(socket, route);
    },
    close: () => closeNetlinkSocket(socket),
  };
}
