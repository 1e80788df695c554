/**
 * iptables rules of others, through the programs that made them: sluice has no rule there itself. The kernel keeps two
 * kinds, those of iptables-nft in nftables and those of iptables-legacy; each has programs of its own.
 */

import { readFileSync } from 'node:fs';
import type { Family } from '../../core/model/facts.ts';
import { openOtherTables } from '../nft/other-tables.ts';
import { runProgram } from '../program.ts';

export type IptablesKind = 'nft' | 'legacy';

/** A text of `iptables-save`. */
export interface IptablesReading {
  readonly kind: IptablesKind;
  readonly family: Family;
  readonly text: string;
}

export interface IptablesPort {
  /** What there is, in both families. Rejects with ProgramError; it names the program that is missing. */
  read(): Promise<readonly IptablesReading[]>;
  /**
   * `iptables-restore --noflush`: each table in one step. Rejects with ProgramError; the table in which something was
   * refused is as it was, those before it are changed.
   */
  restore(kind: IptablesKind, family: Family, text: string): Promise<void>;
}

/** `pid` is of a process in another network namespace, for tests. */
export function openIptables({ pid }: { readonly pid?: number } = {}): IptablesPort {
  const place = pid === undefined ? {} : { networkNamespace: `/proc/${pid}/ns/net` };
  const tables = openOtherTables(place);
  const run = (program: string, args: readonly string[], input = ''): Promise<string> =>
    runProgram(program, args, { ...place, input, need });
  return {
    read: async () => {
      const names = await tables.names();
      const readings: IptablesReading[] = [];
      for (const family of ['IPv4', 'IPv6'] as const) {
        for (const kind of kindsInUse(family, names, `/proc/${pid ?? 'self'}/net`)) {
          readings.push({ kind, family, text: await run(programs(kind, family).save, []) });
        }
      }
      return readings;
    },
    restore: async (kind, family, text) => {
      // --wait: another program may hold the lock of iptables-legacy.
      const wait = kind === 'legacy' ? ['--wait=5'] : [];
      await run(programs(kind, family).restore, ['--noflush', ...wait], text);
    },
  };
}

const need =
  'this node has rules that only it can read: install iptables, or run sluice in the node’s own root (chroot /host)';

/** Asking iptables-legacy where it was never used would load its modules and make its tables. */
function kindsInUse(family: Family, tables: readonly string[], folder: string): readonly IptablesKind[] {
  const prefix = family === 'IPv4' ? 'ip' : 'ip6';
  const legacy = textOf(`${folder}/${prefix}_tables_names`);
  return [
    ...(iptablesTables.some((name) => tables.includes(`${prefix} ${name}`)) ? (['nft'] as const) : []),
    ...(legacy.trim() === '' ? [] : (['legacy'] as const)),
  ];
}

/** The file is there only once iptables-legacy was used. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const iptablesTables = ['nat', 'filter', 'mangle', 'raw', 'security'];

function programs(kind: IptablesKind, family: Family): { readonly save: string; readonly restore: string } {
  const name = `${family === 'IPv4' ? 'iptables' : 'ip6tables'}-${kind}`;
  return { save: `${name}-save`, restore: `${name}-restore` };
}
