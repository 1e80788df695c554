/**
 * iptables rules of others, through the programs that made them: sluice has no rule there itself. The kernel keeps two
 * kinds, those of iptables-nft in nftables and those of iptables-legacy; each has programs of its own.
 */

import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import type { Family } from '../../core/model/facts.ts';

export type IptablesKind = 'nft' | 'legacy';

/** A text of `iptables-save`. */
export interface IptablesReading {
  readonly kind: IptablesKind;
  readonly family: Family;
  readonly text: string;
}

export interface IptablesPort {
  /** What there is, in both families. Rejects with an Error that names the missing program where rules need it. */
  read(): Promise<readonly IptablesReading[]>;
  /** `iptables-restore --noflush`: each table in one step. */
  restore(kind: IptablesKind, family: Family, text: string): Promise<void>;
}

export function openIptables(): IptablesPort {
  return {
    read: async () => {
      const readings: IptablesReading[] = [];
      for (const family of ['IPv4', 'IPv6'] as const) {
        for (const kind of await kindsInUse(family)) {
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

/** Asking iptables-legacy where it was never used would load its modules and make its tables. */
async function kindsInUse(family: Family): Promise<readonly IptablesKind[]> {
  const path = family === 'IPv4' ? '/proc/net/ip_tables_names' : '/proc/net/ip6_tables_names';
  const legacy = textOf(path);
  const tables = await nftTables(family);
  return [
    ...(tables.some((name) => iptablesTables.has(name)) ? (['nft'] as const) : []),
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

const iptablesTables: ReadonlySet<string> = new Set(['nat', 'filter', 'mangle', 'raw', 'security']);

async function nftTables(family: Family): Promise<readonly string[]> {
  const text = await run('nft', ['list', 'tables', family === 'IPv4' ? 'ip' : 'ip6']);
  return text.split('\n').flatMap((line) => /^table \S+ (\S+)/.exec(line)?.[1] ?? []);
}

function programs(kind: IptablesKind, family: Family): { readonly save: string; readonly restore: string } {
  const name = `${family === 'IPv4' ? 'iptables' : 'ip6tables'}-${kind}`;
  return { save: `${name}-save`, restore: `${name}-restore` };
}

async function run(program: string, args: readonly string[], input = ''): Promise<string> {
  const result = await execa(program, args, { input, reject: false, stripFinalNewline: false });
  if (!result.failed) return result.stdout;
  if (result.code === 'ENOENT') {
    throw new Error(
      `expected the program ${program}, found none; this node has rules that only it can read: install iptables, or run sluice in the node's own root (chroot /host)`,
    );
  }
  throw new Error(`${program} failed: ${result.stderr === '' ? result.shortMessage : result.stderr.trim()}`);
}
