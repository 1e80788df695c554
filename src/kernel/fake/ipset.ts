/** ipsets in memory, with the references that rules have to them. */

import type { Family } from '../../core/model/facts.ts';
import { errno, KernelError } from '../error.ts';
import type { IpsetPort } from '../ipset/open-ipset.ts';

/** The fake, with what only other programs do to it. */
export interface FakeIpset extends IpsetPort {
  /** `ipset create NAME hash:ip family ...`. */
  create(name: string, family?: Family): void;
  /** Undefined: there is no such set. */
  familyOf(name: string): Family | undefined;
  /** A rule comes to name a set. */
  hold(name: string): void;
  /** It goes. The kernel frees rules after a grace period: the set is in use once more after the last one went. */
  release(name: string): void;
}

/** IPSET_MAXNAMELEN, without the zero at the end. */
const longestName = 31;

export function fakeIpset(): FakeIpset {
  const sets = new Map<string, { readonly family: Family; holders: number; isLingering: boolean }>();
  return {
    names: () => [...sets.keys()],
    destroy: (name) => {
      if (Buffer.byteLength(name) > longestName) throw new KernelError(`destroy ipset ${name}`, errno.EINVAL);
      const set = sets.get(name);
      if (set === undefined) return 'absent';
      const isHeld = set.holders > 0 || set.isLingering;
      set.isLingering = false;
      if (isHeld) return 'in-use';
      sets.delete(name);
      return 'removed';
    },
    close: () => undefined,
    create: (name, family = 'IPv4') => {
      if (sets.has(name)) throw new Error(`expected a new name of an ipset, found ${name} there`);
      sets.set(name, { family, holders: 0, isLingering: false });
    },
    familyOf: (name) => sets.get(name)?.family,
    hold: (name) => {
      heldSet(sets, name).holders += 1;
    },
    release: (name) => {
      const set = heldSet(sets, name);
      set.holders -= 1;
      set.isLingering = set.holders === 0;
    },
  };
}

function heldSet<Set>(sets: ReadonlyMap<string, Set>, name: string): Set {
  const set = sets.get(name);
  if (set === undefined) throw new Error(`expected an ipset ${name}, found none`);
  return set;
}
