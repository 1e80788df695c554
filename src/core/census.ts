/** Whose is what the kernel holds, in numbers. */

import { type Actual, type Expected, ownershipKey } from './actual.ts';
import { endsStep, type Steps } from './steps.ts';

export interface Census {
  readonly own: Readonly<Record<'virtual-server' | 'vip' | 'element', number>>;
  /** Others' virtual servers, and others' addresses on the VIP interface. */
  readonly foreign: Readonly<Record<'virtual-server' | 'vip', number>>;
}

/** Counts by the record of ownership, as the plan goes by it, in steps. Elements are all sluice's: the table is its own. */
export function* takeCensus(actual: Actual, expected: Pick<Expected, 'virtualServer'>): Steps<Census> {
  let servers = 0;
  let index = 0;
  for (const [key, there] of actual.virtualServers) {
    // What is shared with what is wanted is ours, without a key made to look for its record.
    const isWanted = expected.virtualServer(key) === there;
    servers += isWanted || actual.elements.has(ownershipKey(there.server.identity)) ? 1 : 0;
    if (endsStep(index, countedAtOnce)) {
      yield;
    }
    index += 1;
  }
  yield;
  let vips = 0;
  for (const { address, routed } of actual.vips.values()) {
    vips += routed || actual.elements.has(`vips ${address}`) ? 1 : 0;
  }
  return {
    own: { 'virtual-server': servers, vip: vips, element: actual.elements.size },
    foreign: { 'virtual-server': actual.virtualServers.size - servers, vip: actual.vips.size - vips },
  };
}

const countedAtOnce = 1_000;
