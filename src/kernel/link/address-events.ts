/** Tells when the node's addresses change. */

import { drainEvents } from '../netlink/events.ts';
import { type MessageCursor, payloadI32 } from '../netlink/message-reader.ts';
import { closeNetlinkSocket, type NetlinkSocket } from '../netlink/socket.ts';
import type { AddressListener } from '../ports.ts';
import { isLinkLocal, type LinkAddress, readLinkAddress } from './decode-address.ts';
import { RTM_DELADDR, RTM_NEWADDR } from './rtnetlink.ts';

/**
 * Calls back once for each burst of changes, with the addresses that went. Changes on the interfaces that `ignored`
 * gives are no news: sluice's own VIPs and those of other proxies. Neither are IPv6 link-local addresses, which every
 * pod's interface brings and which serve nobody. Lost events count as a change. Returns the way to stop, which closes
 * the socket.
 */
export function watchAddresses(
  socket: NetlinkSocket,
  ignored: () => ReadonlySet<number>,
  listener: AddressListener,
): () => void {
  let news: LinkAddress[] = [];
  let lost = false;
  /** Asked for once in a burst, and before anything is read: thousands of VIPs may come at a time. */
  let indexes: ReadonlySet<number> | undefined;
  const collect = {
    onMessage: (message: MessageCursor): void => {
      if (message.type !== RTM_NEWADDR && message.type !== RTM_DELADDR) return;
      indexes ??= ignored();
      if (indexes.has(payloadI32(message, 4))) return;
      const address = readLinkAddress(message);
      if (address !== undefined && !isLinkLocal(address.address)) news.push(address);
    },
    onLost: (): void => {
      lost = true;
    },
  };
  socket.handle.onReadable(() => {
    drainEvents(socket, collect);
    const isNews = lost || news.length > 0;
    const gone = lost ? undefined : new Set(news.filter(({ isGone }) => isGone).map(({ address }) => address));
    news = [];
    lost = false;
    indexes = undefined;
    if (isNews) listener(gone);
  });
  return () => closeNetlinkSocket(socket);
}
