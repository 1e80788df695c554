/** Reverse-path checks by rtnetlink: /proc/sys is read-only in a container that is not privileged. */

import { errno, isKernelError, KernelError } from '../error.ts';
import { putLinkHeader, tell } from '../link/link-message.ts';
import { readDefaultInterface, readRouteTowards } from '../link/route-towards.ts';
import { AF_INET, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS, RTM_GETLINK } from '../link/rtnetlink.ts';
import { messageAttributes, nextAttribute, readI32 } from '../netlink/attribute-reader.ts';
import { putU32 } from '../netlink/attribute-writer.ts';
import { beginMessage, createBatch, endMessage, putHeader } from '../netlink/batch.ts';
import { NETLINK_ROUTE } from '../netlink/constants.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import { request } from '../netlink/request.ts';
import { closeNetlinkSocket, type NetlinkSocket, openNetlinkSocket } from '../netlink/socket.ts';
import { type Device, readDevice } from '../pod-network/decode-device.ts';
import { putIPv4Setting } from '../pod-network/encode-tunnel.ts';
import {
  IPV4_DEVCONF_RP_FILTER,
  NETCONFA_IFINDEX,
  NETCONFA_IFINDEX_ALL,
  NETCONFA_RP_FILTER,
  netconfHeaderLength,
  RTM_GETNETCONF,
  RTM_NEWNETCONF,
} from '../pod-network/numbers.ts';
import type { ReversePathCheck, ReversePathPort } from '../ports.ts';

/** Opens the port; a socket is opened for each call. `networkNamespace` is for tests. */
export function openReversePath(networkNamespace?: string): ReversePathPort {
  const withSocket = <Result>(work: (socket: NetlinkSocket) => Result): Result => {
    const where = networkNamespace === undefined ? {} : { networkNamespace };
    const socket = openNetlinkSocket({ protocol: NETLINK_ROUTE, ...where });
    try {
      return work(socket);
    } finally {
      closeNetlinkSocket(socket);
    }
  };
  return {
    towards: (address) => withSocket((socket) => checkTowards(socket, address)),
    read: ({ index, name }) =>
      withSocket((socket) => {
        const check = readCheck(socket, index);
        return check?.name === name ? check : undefined;
      }),
    set: (index, value) =>
      withSocket((socket) => {
        const setting = { number: IPV4_DEVCONF_RP_FILTER, value };
        tell(socket, 'set rp_filter of an interface of this node', (batch) => putIPv4Setting(batch, index, setting));
      }),
  };
}

/** LOOPBACK_IFINDEX of include/net/flow.h: where routes to the node's own addresses lead. */
const loopbackIndex = 1;

function checkTowards(socket: NetlinkSocket, address: string): ReversePathCheck | undefined {
  const index = readRouteTowards(socket, address)?.interfaceIndex;
  const isPod = index !== undefined && index !== loopbackIndex && index !== readDefaultInterface(socket, 'IPv4');
  return isPod ? readCheck(socket, index) : undefined;
}

function readCheck(socket: NetlinkSocket, index: number): ReversePathCheck | undefined {
  const device = findDevice(socket, index);
  return device === undefined
    ? undefined
    : { index, name: device.name, value: device.rpFilter, all: readStrictness(socket) };
}

function findDevice(socket: NetlinkSocket, index: number): Device | undefined {
  const batch = createBatch(64);
  beginMessage(batch, RTM_GETLINK, 0);
  putLinkHeader(batch, index, 0);
  putU32(batch, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  endMessage(batch);
  try {
    return request(socket, `find interface ${index}`, batch, readDevice)[0];
  } catch (thrown) {
    if (isKernelError(thrown) && thrown.errno === errno.ENODEV) return undefined;
    throw thrown;
  }
}

function readStrictness(socket: NetlinkSocket): number {
  const operation = 'read net.ipv4.conf.all.rp_filter';
  const batch = createBatch(64);
  beginMessage(batch, RTM_GETNETCONF, 0);
  putHeader(batch, Uint8Array.of(AF_INET));
  putU32(batch, NETCONFA_IFINDEX, NETCONFA_IFINDEX_ALL);
  endMessage(batch);
  const [value] = request(socket, operation, batch, readAnswer);
  if (value === undefined) throw new KernelError(operation, errno.EPROTO);
  return value;
}

function readAnswer(message: MessageCursor): number | undefined {
  if (message.type !== RTM_NEWNETCONF) return undefined;
  const cursor = messageAttributes(message, netconfHeaderLength);
  while (nextAttribute(cursor)) if (cursor.type === NETCONFA_RP_FILTER) return readI32(cursor);
  return undefined;
}
