/** nftables tables of others in memory: their names. */

import type { OtherTablesPort } from '../nft/other-tables.ts';
import { ProgramError } from '../program.ts';

/** The fake, with what only other programs do to it. */
export interface FakeOtherTables extends OtherTablesPort {
  /** `nft add table FAMILY NAME`, as one word: `ip kube-proxy`. */
  add(name: string): void;
}

export function fakeOtherTables(): FakeOtherTables {
  const tables = new Set<string>();
  return {
    names: async () => [...tables],
    remove: async (name) => {
      if (!tables.delete(name))
        throw new ProgramError('program-refused', `nft delete table ${name} failed: none is there`);
    },
    add: (name) => {
      tables.add(name);
    },
  };
}
