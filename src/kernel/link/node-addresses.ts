/** The node's own addresses. */

import { finish, type Steps } from '../../core/steps.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import type { NodeAddress } from '../ports.ts';
import type { LinkAddress } from './decode-address.ts';
import { readAddresses } from './dump-vips.ts';
import { proxyInterfaces } from './identity.ts';
import { dumpLinks } from './interface.ts';
import { IFA_F_DADFAILED, IFA_F_TENTATIVE, RT_SCOPE_LINK, RT_SCOPE_SITE, RT_SCOPE_UNIVERSE } from './rtnetlink.ts';

/** All usable addresses but those of the VIP interface and of other proxies' interfaces. Throws KernelError. */
export function dumpNodeAddresses(socket: NetlinkSocket, vipInterface: string): readonly NodeAddress[] {
  return finish(readNodeAddresses(socket, vipInterface));
}

/** The same in steps, since the kernel tells of ten thousand VIPs too. Nothing else may use the socket between them. */
export function* readNodeAddresses(socket: NetlinkSocket, vipInterface: string): Steps<readonly NodeAddress[]> {
  const names = new Map(dumpLinks(socket).map((link) => [link.index, link.name]));
  for (const [index, name] of names) {
    if (name === vipInterface || proxyInterfaces.includes(name)) names.delete(index);
  }
  yield;
  const addresses = yield* readAddresses(socket, (index) => names.has(index));
  return addresses.filter(isUsable).map((address) => nodeAddress(address, names.get(address.interfaceIndex) ?? ''));
}

/**
 * The kernel refuses an IPv6 address as a source until duplicate address detection has passed (ipv6_chk_addr), and
 * tells when it has.
 */
function isUsable(address: LinkAddress): boolean {
  return (address.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) === 0;
}

function nodeAddress(address: LinkAddress, name: string): NodeAddress {
  const { prefixLength, scope } = address;
  return { address: address.address, interface: name, prefixLength, scope: scopeName(scope) };
}

/** Scopes are numbers from wide to narrow (`enum rt_scope_t`); those between the named ones are a site's own. */
function scopeName(scope: number): NodeAddress['scope'] {
  if (scope === RT_SCOPE_UNIVERSE) return 'global';
  if (scope <= RT_SCOPE_SITE) return 'site';
  return scope <= RT_SCOPE_LINK ? 'link' : 'host';
}
