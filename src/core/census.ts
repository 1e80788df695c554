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
  // Each by itself, since some may go between two steps.
  let servers = 0;
  let foreignServers = 0;
  for (const [key, there] of actual.virtualServers) {
    // What is shared with what is wanted is ours, without a key made to look for its record.
    const isOwn = expected.virtualServer(key) === there || actual.elements.has(ownershipKey(there.server.identity));
    if (isOwn) {
      servers += 1;
    } else {
      foreignServers += 1;
    }
    if (endsStep(servers + foreignServers, countedAtOnce)) {
      yield;
    }
  }
  yield;
  let vips = 0;
  for (const { address, routed } of actual.vips.values()) {
    vips += routed || actual.elements.has(`vips ${address}`) ? 1 : 0;
  }
  return {
    own: { 'virtual-server': servers, vip: vips, element: actual.elements.size },
    foreign: { 'virtual-server': foreignServers, vip: actual.vips.size - vips },
  };
}

const countedAtOnce = 1_000;
