/** The VIP interface and the node's addresses by rtnetlink. */

import { families } from '../../core/model/facts.ts';
import type { VipOperation } from '../../core/model/operation.ts';
import { errno, KernelError } from '../error.ts';
import { createBatch } from '../netlink/batch.ts';
import { NETLINK_ROUTE } from '../netlink/constants.ts';
import { closeNetlinkSocket, type NetlinkSocket, openNetlinkSocket } from '../netlink/socket.ts';
import type { ApplyResult, LinkOptions, LinkPort } from '../ports.ts';
import { watchAddresses } from './address-events.ts';
import { applyVips } from './apply-vips.ts';
import { dumpVips, readVips } from './dump-vips.ts';
import { interfaceAlias, proxyInterfaces } from './identity.ts';
import { createDummy, deleteLink, dumpLinks, findLink, setUp } from './interface.ts';
import { dumpNodeAddresses, readNodeAddresses } from './node-addresses.ts';
import { readDefaultSource, readRouteTowards } from './route-towards.ts';
import { RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR } from './rtnetlink.ts';
import { removeSteering } from './steering.ts';

/** Opens the port. `networkNamespace` is the path of a namespace, for tests. Throws KernelError. */
export function openLink(options: LinkOptions & { readonly networkNamespace?: string }): LinkPort {
  const { interfaceName, mode, steeringMark, networkNamespace } = options;
  const place = networkNamespace === undefined ? {} : { networkNamespace };
  const socket = openNetlinkSocket({ protocol: NETLINK_ROUTE, ...place });
  /** For reading in steps: between them the other one may be used. */
  let reading: NetlinkSocket | undefined;
  const batch = createBatch();
  const stops = new Set<() => void>();
  // 0 is no interface's index: without one only routes are found, and they went with it.
  const placeOf = () => ({ interfaceIndex: findLink(socket, interfaceName)?.index ?? 0, steeringMark });
  return {
    ensureInterface: () => ensureInterface(socket, interfaceName),
    dumpVips: () => dumpVips(socket, placeOf()),
    readVips: function* (eachExpected) {
      reading ??= openNetlinkSocket({ protocol: NETLINK_ROUTE, ...place });
      return yield* readVips(reading, placeOf(), eachExpected);
    },
    apply: (operations) => {
      const interfaceIndex = findLink(socket, interfaceName)?.index;
      if (interfaceIndex === undefined) return withoutInterface(interfaceName, operations);
      return applyVips({ socket, batch, interfaceIndex, mode, steeringMark }, operations);
    },
    removeInterface: () => removeInterface(socket, interfaceName, steeringMark),
    nodeAddresses: () => dumpNodeAddresses(socket, interfaceName),
    readNodeAddresses: function* () {
      reading ??= openNetlinkSocket({ protocol: NETLINK_ROUTE, ...place });
      return yield* readNodeAddresses(reading, interfaceName);
    },
    defaultSource: (family) => readDefaultSource(socket, family),
    sourceTowards: (address) => readRouteTowards(socket, address)?.source,
    interfaceTowards: (address) => {
      const index = readRouteTowards(socket, address)?.interfaceIndex;
      return dumpLinks(socket).find((link) => link.index === index)?.name;
    },
    onAddressChange: (listener) => {
      const groups = [RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR];
      const events = openNetlinkSocket({ protocol: NETLINK_ROUTE, groups, ...place });
      const stop = watchAddresses(events, () => proxyIndexes(socket, interfaceName), listener);
      stops.add(stop);
      return () => {
        stops.delete(stop);
        stop();
      };
    },
    close: () => {
      for (const stop of stops) stop();
      stops.clear();
      if (reading !== undefined) closeNetlinkSocket(reading);
      closeNetlinkSocket(socket);
    },
  };
}

/** Of the interfaces that hold VIPs. */
function proxyIndexes(socket: NetlinkSocket, interfaceName: string): ReadonlySet<number> {
  const indexes = [interfaceName, ...proxyInterfaces].map((name) => findLink(socket, name)?.index);
  return new Set(indexes.filter((index) => index !== undefined));
}

function ensureInterface(socket: NetlinkSocket, name: string): { readonly created: boolean } {
  const found = findLink(socket, name);
  const created = found === undefined && createDummy(socket, name);
  if (found?.isUp !== true) setUp(socket, name);
  return { created };
}

function removeInterface(
  socket: NetlinkSocket,
  name: string,
  steeringMark: number,
): ReturnType<LinkPort['removeInterface']> {
  const link = findLink(socket, name);
  if (link === undefined || dumpVips(socket, { interfaceIndex: link.index, steeringMark }).length === 0)
    families.forEach((family) => removeSteering(socket, family));
  if (link === undefined) return 'absent';
  if (link.alias !== interfaceAlias || link.kind !== 'dummy') return 'not-ours';
  if (dumpVips(socket, { interfaceIndex: link.index, steeringMark }).length > 0) return 'in-use';
  return deleteLink(socket, link) ? 'removed' : 'absent';
}

/** Without the interface nothing can be added, and nothing is left to remove. */
function withoutInterface(interfaceName: string, operations: readonly VipOperation[]): ApplyResult {
  const failures = operations.flatMap((operation, index) => {
    if (operation.kind === 'remove-vip') return [];
    const error = new KernelError(`add VIP ${operation.vip.address} to ${interfaceName}`, errno.ENODEV);
    return [{ index, error }];
  });
  return { failures, unknown: false };
}
