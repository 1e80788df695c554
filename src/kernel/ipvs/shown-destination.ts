/** A destination as the kernel shows it: numbers, and an address that is still bytes. */

import type { Family } from '../../core/model/facts.ts';
import type { DestinationState, ForwardingMethod } from '../../core/model/virtual-server.ts';
import { readAddressText } from '../address-text.ts';

/** Valid only while the buffer is: readers fill one and the same for every destination. */
export interface ShownDestination {
  bytes: Buffer;
  /** Where the address begins, in network byte order; -1 when there is none. */
  addressAt: number;
  family: Family;
  port: number;
  weight: number;
  forwarding: ForwardingMethod;
  activeConnections: number;
  inactiveConnections: number;
}

/** What a reader makes of each destination. */
export type MakeDestination<Item> = (shown: ShownDestination) => Item;

/** A copy with the kernel's counts. */
export function copyDestination(shown: ShownDestination): DestinationState {
  return {
    address: readAddressText(shown.bytes, shown.addressAt, shown.family),
    port: shown.port,
    weight: shown.weight,
    forwarding: shown.forwarding,
    activeConnections: shown.activeConnections,
    inactiveConnections: shown.inactiveConnections,
  };
}

export function blankDestination(bytes: Buffer, family: Family): ShownDestination {
  return {
    bytes,
    addressAt: -1,
    family,
    port: 0,
    weight: 0,
    forwarding: 'masquerade',
    activeConnections: 0,
    inactiveConnections: 0,
  };
}
