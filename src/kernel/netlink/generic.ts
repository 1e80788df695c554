import { errno, KernelError } from '../error.ts';
import { messageAttributes, nextAttribute, readU16 } from './attribute-reader.ts';
import { putString } from './attribute-writer.ts';
import { beginMessage, createBatch, endMessage, putGenericHeader } from './batch.ts';
import { genericHeaderLength } from './constants.ts';
import type { MessageCursor } from './message-reader.ts';
import { request } from './request.ts';
import type { NetlinkSocket } from './socket.ts';

/** The controller of generic netlink (include/uapi/linux/genetlink.h): GENL_ID_CTRL and what is used of it. */
const controllerFamily = 0x10;
const getFamilyCommand = 3;
const controllerVersion = 1;
const familyIdAttribute = 1;
const familyNameAttribute = 2;

/**
 * Asks for the message type of the generic netlink family `name` (`IPVS`) on a NETLINK_GENERIC socket. The kernel tries
 * to load the module. Throws `KernelError` with ENOENT when there is no such family. The id is valid until the module
 * is unloaded, in every network namespace.
 */
export function resolveGenericFamily(socket: NetlinkSocket, name: string): number {
  const operation = `resolve generic netlink family ${name}`;
  const batch = createBatch(256);
  beginMessage(batch, controllerFamily, 0);
  putGenericHeader(batch, getFamilyCommand, controllerVersion);
  putString(batch, familyNameAttribute, name);
  endMessage(batch);
  const [id] = request(socket, operation, batch, readFamilyId);
  if (id === undefined) throw new KernelError(operation, errno.EPROTO);
  return id;
}

function readFamilyId(message: MessageCursor): number | undefined {
  const attributes = messageAttributes(message, genericHeaderLength);
  while (nextAttribute(attributes)) {
    if (attributes.type === familyIdAttribute) return readU16(attributes);
  }
  return undefined;
}
