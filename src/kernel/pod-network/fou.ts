/** Ports of Generic UDP Encapsulation (Documentation/netlink/specs/fou.yaml): what arrives there is unwrapped. */

import type { Family } from '../../core/model/facts.ts';
import { guePort } from '../../core/model/pod-tunnel.ts';
import { errno, isKernelError } from '../error.ts';
import { familyNumber } from '../link/address-family.ts';
import { perform } from '../link/link-message.ts';
import { messageAttributes, nextAttribute, readBe16, readU8 } from '../netlink/attribute-reader.ts';
import { putBe16, putU8 } from '../netlink/attribute-writer.ts';
import { type Batch, beginMessage, createBatch, endMessage, putGenericHeader } from '../netlink/batch.ts';
import { genericHeaderLength } from '../netlink/constants.ts';
import { dump } from '../netlink/dump.ts';
import { resolveGenericFamily } from '../netlink/generic.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import {
  FOU_ATTR_AF,
  FOU_ATTR_PORT,
  FOU_ATTR_TYPE,
  FOU_CMD_ADD,
  FOU_CMD_DEL,
  FOU_CMD_GET,
  FOU_ENCAP_GUE,
  fouFamily,
  fouVersion,
} from './numbers.ts';

/** A port that the kernel unwraps what arrives at. */
export interface FouPort {
  readonly port: number;
  readonly family: number;
  readonly isGue: boolean;
}

/** Whether packets that arrive at the port of GUE are unwrapped; false too where the kernel has no FOU. Throws KernelError. */
export function hasGuePort(socket: NetlinkSocket, family: Family): boolean {
  const id = fouId(socket);
  if (id === undefined) return false;
  const batch = createBatch(64);
  beginMessage(batch, id, 0);
  putGenericHeader(batch, FOU_CMD_GET, fouVersion);
  endMessage(batch);
  const ports = dump(socket, 'dump FOU ports', batch, readFouPort);
  return ports.some((each) => each.port === guePort && each.isGue && each.family === familyNumber(family));
}

/** False when it is there, or another program of the pod has the UDP port (EADDRINUSE is both: ask again). Throws KernelError. */
export function addGuePort(socket: NetlinkSocket, family: Family): boolean {
  const batch = createBatch(64);
  putGuePort(batch, resolveGenericFamily(socket, fouFamily), { command: FOU_CMD_ADD, family });
  return perform(socket, `open UDP port ${guePort} for GUE`, batch, errno.EADDRINUSE);
}

/** False when there is none, which the kernel calls EINVAL (fou_destroy in net/ipv4/fou_core.c). Throws KernelError. */
export function removeGuePort(socket: NetlinkSocket, family: Family): boolean {
  const id = fouId(socket);
  if (id === undefined) return false;
  const batch = createBatch(64);
  putGuePort(batch, id, { command: FOU_CMD_DEL, family });
  return perform(socket, `close UDP port ${guePort} for GUE`, batch, errno.EINVAL);
}

/** The message that opens or closes the port of GUE. The kernel finds a port to close by all that it was opened with. */
export function putGuePort(
  batch: Batch,
  id: number,
  what: { readonly command: number; readonly family: Family },
): void {
  beginMessage(batch, id, 0);
  putGenericHeader(batch, what.command, fouVersion);
  putBe16(batch, FOU_ATTR_PORT, guePort);
  putU8(batch, FOU_ATTR_TYPE, FOU_ENCAP_GUE);
  putU8(batch, FOU_ATTR_AF, familyNumber(what.family));
  endMessage(batch);
}

/** Reads the answer about one port. Throws NetlinkDecodeError. */
export function readFouPort(message: MessageCursor): FouPort {
  let [port, family, type] = [0, 0, 0];
  const cursor = messageAttributes(message, genericHeaderLength);
  while (nextAttribute(cursor)) {
    if (cursor.type === FOU_ATTR_PORT) port = readBe16(cursor);
    else if (cursor.type === FOU_ATTR_AF) family = readU8(cursor);
    else if (cursor.type === FOU_ATTR_TYPE) type = readU8(cursor);
  }
  return { port, family, isGue: type === FOU_ENCAP_GUE };
}

function fouId(socket: NetlinkSocket): number | undefined {
  try {
    return resolveGenericFamily(socket, fouFamily);
  } catch (thrown) {
    if (isKernelError(thrown) && thrown.errno === errno.ENOENT) return undefined;
    throw thrown;
  }
}
