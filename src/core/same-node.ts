import type { NodeFact } from './model/facts.ts';
import { isSameList } from './same-list.ts';

/** Whether nothing that is kept of a Node has changed. */
export function isSameNode(one: NodeFact, other: NodeFact): boolean {
  return one === other || Object.values(comparisons).every((isSame) => isSame(one, other));
}

/** A field that is missing here does not compile. */
const comparisons: Readonly<Record<keyof NodeFact, (one: NodeFact, other: NodeFact) => boolean>> = {
  name: (one, other) => one.name === other.name,
  zone: (one, other) => one.zone === other.zone,
  addresses: (one, other) => isSameList(one.addresses, other.addresses),
  allAddresses: (one, other) => isSameList(one.allAddresses, other.allAddresses),
  podCIDRs: (one, other) => isSameList(one.podCIDRs, other.podCIDRs),
  eligible: (one, other) => one.eligible === other.eligible,
};
