/** Tells when the node's addresses change. */

import { drainEvents } from '../netlink/events.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import { closeNetlinkSocket, type NetlinkSocket } from '../netlink/socket.ts';
import type { AddressListener } from '../ports.ts';
import { isLinkLocal, type LinkAddress, readLinkAddress } from './decode-address.ts';

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
  let changed: LinkAddress[] = [];
  let lost = false;
  const collect = {
    onMessage: (message: MessageCursor): void => {
      const address = readLinkAddress(message);
      if (address !== undefined && !isLinkLocal(address.address)) changed.push(address);
    },
    onLost: (): void => {
      lost = true;
    },
  };
  socket.handle.onReadable(() => {
    drainEvents(socket, collect);
    const indexes = changed.length === 0 ? undefined : ignored();
    const news = changed.filter(({ interfaceIndex }) => indexes?.has(interfaceIndex) !== true);
    const isNews = lost || news.length > 0;
    const gone = lost ? undefined : new Set(news.filter(({ isGone }) => isGone).map(({ address }) => address));
    changed = [];
    lost = false;
    if (isNews) listener(gone);
  });
  return () => closeNetlinkSocket(socket);
}
