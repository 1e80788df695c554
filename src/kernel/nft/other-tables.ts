/** nftables tables of others, by `nft`: only their names are looked at. */

import { execa } from 'execa';

export interface OtherTablesPort {
  /** `ip kube-proxy`: family and name of every table. Rejects with an Error when nft is missing or refuses. */
  names(): Promise<readonly string[]>;
  remove(name: string): Promise<void>;
}

export function openOtherTables(): OtherTablesPort {
  return {
    names: async () => {
      const text = await nft(['list', 'tables']);
      return text.split('\n').flatMap((line) => /^table (\S+ \S+)$/.exec(line.trim())?.[1] ?? []);
    },
    remove: async (name) => void (await nft(['delete', 'table', ...name.split(' ')])),
  };
}

async function nft(args: readonly string[]): Promise<string> {
  const result = await execa('nft', args, { reject: false });
  if (result.failed) {
    throw new Error(
      `nft ${args.join(' ')} failed: ${result.stderr === '' ? result.shortMessage : result.stderr.trim()}`,
    );
  }
  return result.stdout;
}
