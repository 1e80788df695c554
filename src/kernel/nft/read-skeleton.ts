/** Whether the kernel already holds the table's text, so that a restart need not load it again. */

import { errno, isKernelError } from '../error.ts';
import { messageAttributes, nextAttribute, viewBytes } from '../netlink/attribute-reader.ts';
import { putString } from '../netlink/attribute-writer.ts';
import { beginMessage, createBatch, endMessage, putNetfilterHeader } from '../netlink/batch.ts';
import { netfilterHeaderLength } from '../netlink/constants.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import { request } from '../netlink/request.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import {
  NFPROTO_INET,
  NFT_MSG_GETCHAIN,
  NFT_MSG_NEWCHAIN,
  NFTA_CHAIN_NAME,
  NFTA_CHAIN_TABLE,
  NFTA_CHAIN_USERDATA,
} from './constants.ts';
import { isOfLayout, readSets } from './read-sets.ts';
import { countRules } from './read-table.ts';
import { setLayouts, tableName } from './set-layout.ts';
import { type RenderedSkeleton, stampChain } from './skeleton.ts';
import { readComment } from './user-data.ts';

/** The same text, all of its rules and all of the sets. Throws KernelError. */
export function isLoaded(socket: NetlinkSocket, skeleton: RenderedSkeleton): boolean {
  if (readStamp(socket) !== skeleton.stamp || countRules(socket) !== skeleton.rules) return false;
  const sets = readSets(socket);
  return setLayouts.every((layout) => {
    const found = sets.get(layout.name);
    return found !== undefined && isOfLayout(found, layout);
  });
}

function readStamp(socket: NetlinkSocket): string | undefined {
  const batch = createBatch(128);
  beginMessage(batch, NFT_MSG_GETCHAIN, 0);
  putNetfilterHeader(batch, NFPROTO_INET, 0, 0);
  putString(batch, NFTA_CHAIN_TABLE, tableName);
  putString(batch, NFTA_CHAIN_NAME, stampChain);
  endMessage(batch);
  try {
    return request(socket, `read chain ${stampChain}`, batch, readChainComment)[0];
  } catch (thrown) {
    if (isKernelError(thrown) && thrown.errno === errno.ENOENT) return undefined;
    throw thrown;
  }
}

function readChainComment(message: MessageCursor): string | undefined {
  if (message.type !== NFT_MSG_NEWCHAIN) return undefined;
  const cursor = messageAttributes(message, netfilterHeaderLength);
  while (nextAttribute(cursor)) if (cursor.type === NFTA_CHAIN_USERDATA) return readComment(viewBytes(cursor));
  return undefined;
}
