/** Tells when the node's addresses change. */

import { drainEvents } from '../netlink/events.ts';
import { type MessageCursor, payloadI32 } from '../netlink/message-reader.ts';
import { closeNetlinkSocket, type NetlinkSocket } from '../netlink/socket.ts';
import { RTM_DELADDR, RTM_NEWADDR } from './rtnetlink.ts';

/**
 * Calls back once for each burst of changes on interfaces other than the one that `ignoredIndex` gives: sluice's own
 * changes of VIPs are no news. Lost events count as a change. Returns the way to stop, which closes the socket.
 */
export function watchAddresses(
  socket: NetlinkSocket,
  ignoredIndex: () => number | undefined,
  listener: () => void,
): () => void {
  const changed = new Set<number>();
  let lost = false;
  const collect = {
    onMessage: (message: MessageCursor): void => {
      if (message.type === RTM_NEWADDR || message.type === RTM_DELADDR) changed.add(payloadI32(message, 4));
    },
    onLost: (): void => {
      lost = true;
    },
  };
  socket.handle.onReadable(() => {
    drainEvents(socket, collect);
    const ignored = changed.size === 0 ? undefined : ignoredIndex();
    if (ignored !== undefined) changed.delete(ignored);
    const isNews = lost || changed.size > 0;
    changed.clear();
    lost = false;
    if (isNews) listener();
  });
  return () => closeNetlinkSocket(socket);
}
