/** Sluice's own nftables table: its text by nft, its elements by nfnetlink. */

import { createBatch, resetBatch } from '../netlink/batch.ts';
import { NETLINK_NETFILTER } from '../netlink/constants.ts';
import { closeNetlinkSocket, type NetlinkSocket, openNetlinkSocket } from '../netlink/socket.ts';
import type { FilterPort } from '../ports.ts';
import { applyElements } from './apply-elements.ts';
import { loadSkeleton } from './load-skeleton.ts';
import { missingSetsText } from './missing-sets.ts';
import { isLoaded } from './read-skeleton.ts';
import { areLegible, countRules, deleteTable, dumpElements, readElements } from './read-table.ts';
import { replacementText } from './replace-parts.ts';
import { renderSkeleton } from './skeleton.ts';

/**
 * Room for a transaction of the largest size with a comment on each element, and for a refusal of each.
 * The kernel takes memory only for what is queued.
 */
const queueBytes = 16 << 20;

/** Opens the port. `networkNamespace` is the path of a namespace, for tests. Throws KernelError. */
export function openFilter(options: { readonly networkNamespace?: string } = {}): FilterPort {
  const socket = openNetlinkSocket({
    protocol: NETLINK_NETFILTER,
    sendQueueBytes: queueBytes,
    receiveQueueBytes: queueBytes,
    ...options,
  });
  /** For reading in steps: between them the other one may be used. */
  let reading: NetlinkSocket | undefined;
  const batch = createBatch();
  /** Known once the table was loaded: with another number of rules somebody has flushed or changed it. */
  let expectedRules: number | undefined;
  const whole = <Elements>(elements: Elements): Elements | undefined =>
    expectedRules === undefined || countRules(socket) === expectedRules ? elements : undefined;
  return {
    ensureTable: async (skeleton, { fillsFirst = false } = {}) => {
      const rendered = renderSkeleton(skeleton);
      if (!isLoaded(socket, rendered)) {
        const missing = fillsFirst ? missingSetsText(socket) : '';
        if (missing !== '') {
          await loadSkeleton(missing, options.networkNamespace);
          return 'to-be-filled';
        }
        await loadSkeleton(`${replacementText(socket)}${rendered.text}`, options.networkNamespace);
      }
      expectedRules = rendered.rules;
      return 'loaded';
    },
    holds: (sets) => whole(areLegible(socket, sets)) === true,
    dump: (sets) => whole(dumpElements(socket, sets)),
    read: function* (eachExpected) {
      reading ??= openNetlinkSocket({ protocol: NETLINK_NETFILTER, ...options });
      return whole(yield* readElements(reading, eachExpected));
    },
    apply: (operations) => applyElements({ socket, batch }, operations),
    removeTable: () => {
      resetBatch(batch);
      return deleteTable({ socket, batch });
    },
    close: () => {
      if (reading !== undefined) closeNetlinkSocket(reading);
      closeNetlinkSocket(socket);
    },
  };
}
