/** nftables tables of others, by `nft`: only their names are looked at. */

import { runProgram } from '../program.ts';

export interface OtherTablesPort {
  /** `ip kube-proxy`: family and name of every table. Rejects with ProgramError. */
  names(): Promise<readonly string[]>;
  /** Rejects with ProgramError, also where there is none of that name. */
  remove(name: string): Promise<void>;
}

/** `networkNamespace` is the path of a namespace, for tests. */
export function openOtherTables(options: { readonly networkNamespace?: string } = {}): OtherTablesPort {
  return {
    names: async () => {
      const text = await runProgram('nft', ['list', 'tables'], options);
      return text.split('\n').flatMap((line) => /^table (\S+ \S+)$/.exec(line.trim())?.[1] ?? []);
    },
    remove: async (name) => void (await runProgram('nft', ['delete', 'table', ...name.split(' ')], options)),
  };
}
