/**
 * The sets that a table of another version lacks. Made beside its own, they can be filled while its chains still judge
 * packets: chains of this version over empty sets would let connections pass without masquerade, or without being refused.
 */

import type { NetlinkSocket } from '../netlink/socket.ts';
import { isOfLayout, readSets } from './read-sets.ts';
import { setLayouts } from './set-layout.ts';
import { addSet } from './skeleton.ts';

/**
 * Text for nft. Empty when nothing is missing, and also when a set is there with another type: it cannot be made anew
 * while chains name it. Throws KernelError.
 */
export function missingSetsText(socket: NetlinkSocket): string {
  const sets = readSets(socket);
  const missing = setLayouts.filter(({ name }) => !sets.has(name));
  const isAnyOther = setLayouts.some((layout) => {
    const found = sets.get(layout.name);
    return found !== undefined && !isOfLayout(found, layout);
  });
  return isAnyOther ? '' : missing.map((layout) => `${addSet(layout)}\n`).join('');
}
