/** ipsets of others: their names, and their end. sluice has none itself. */

import { errno, isKernelError } from '../error.ts';
import { messageAttributes, nextAttribute, readString } from '../netlink/attribute-reader.ts';
import { putBe32, putString, putU8 } from '../netlink/attribute-writer.ts';
import { type Batch, beginMessage, createBatch, endMessage, putNetfilterHeader } from '../netlink/batch.ts';
import { NETLINK_NETFILTER, NLM_F_EXCL, netfilterHeaderLength } from '../netlink/constants.ts';
import { dump } from '../netlink/dump.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import { request } from '../netlink/request.ts';
import { closeNetlinkSocket, type NetlinkSocket, openNetlinkSocket } from '../netlink/socket.ts';
import {
  IPSET_ATTR_FLAGS,
  IPSET_ATTR_PROTOCOL,
  IPSET_ATTR_SETNAME,
  IPSET_ERR_BUSY,
  IPSET_FLAG_LIST_SETNAME,
  IPSET_MSG_DESTROY,
  IPSET_MSG_LIST,
  IPSET_PROTOCOL,
} from './constants.ts';

export interface IpsetPort {
  /** The names of all sets; none where the kernel has no ipset. Throws KernelError. */
  names(): readonly string[];
  /** In use: a rule or another set names it. Throws KernelError. */
  destroy(name: string): 'removed' | 'absent' | 'in-use';
  close(): void;
}

/** Opens the port. `networkNamespace` is the path of a namespace, for tests. Throws KernelError. */
export function openIpset(options: { readonly networkNamespace?: string } = {}): IpsetPort {
  const socket = openNetlinkSocket({ protocol: NETLINK_NETFILTER, ...options });
  return {
    names: () => listNames(socket),
    destroy: (name) => destroyOnce(socket, name),
    close: () => closeNetlinkSocket(socket),
  };
}

function listNames(socket: NetlinkSocket): readonly string[] {
  const batch = question(IPSET_MSG_LIST, 0, (attributes) =>
    putBe32(attributes, IPSET_ATTR_FLAGS, IPSET_FLAG_LIST_SETNAME),
  );
  try {
    return dump(socket, 'list ipsets', batch, readName);
  } catch (thrown) {
    // What nfnetlink answers for a subsystem that is not there.
    if (isKernelError(thrown) && thrown.errno === errno.EINVAL) return [];
    throw thrown;
  }
}

function readName(message: MessageCursor): string | undefined {
  const cursor = messageAttributes(message, netfilterHeaderLength);
  while (nextAttribute(cursor)) {
    if (cursor.type === IPSET_ATTR_SETNAME) return readString(cursor);
  }
  return undefined;
}

function destroyOnce(socket: NetlinkSocket, name: string): 'removed' | 'absent' | 'in-use' {
  // Without NLM_F_EXCL the kernel takes a set that is not there for a success (flag_exist of ip_set_core.c).
  const batch = question(IPSET_MSG_DESTROY, NLM_F_EXCL, (attributes) =>
    putString(attributes, IPSET_ATTR_SETNAME, name),
  );
  try {
    request(socket, `destroy ipset ${name}`, batch, () => undefined);
    return 'removed';
  } catch (thrown) {
    if (!isKernelError(thrown)) throw thrown;
    if (thrown.errno === errno.ENOENT) return 'absent';
    if (thrown.errno === IPSET_ERR_BUSY) return 'in-use';
    throw thrown;
  }
}

/** The only message of a batch: what every one begins with, and what `put` adds. */
function question(type: number, flags: number, put: (batch: Batch) => void): Batch {
  const batch = createBatch(128);
  beginMessage(batch, type, flags);
  putNetfilterHeader(batch, 0, 0, 0);
  putU8(batch, IPSET_ATTR_PROTOCOL, IPSET_PROTOCOL);
  put(batch);
  endMessage(batch);
  return batch;
}
