/**
 * iptables in memory, as strict as the programs: what those of one kind refuse, those of the other refuse too. A rule is
 * kept as it is written; only one that is written as iptables-save writes it is found again.
 */

import { type Family, families } from '../../core/model/facts.ts';
import type { IptablesKind, IptablesPort } from '../iptables/open-iptables.ts';
import { ProgramError } from '../program.ts';
import type { FakeIpset } from './ipset.ts';
import {
  applyLine,
  copyTable,
  emptyTable,
  hasLoop,
  type Line,
  type Refusal,
  renderTable,
  setsOf,
  type Table,
} from './iptables-table.ts';

/** Rules may name the sets of `ipset` only, and hold them. */
export function fakeIptables(ipset: FakeIpset): IptablesPort {
  const rulesets = families.flatMap((family) =>
    kinds.map((kind): Ruleset => ({ kind, family, tables: new Map(), ipset })),
  );
  return {
    read: async () =>
      rulesets
        .filter(({ tables }) => tables.size > 0)
        .map(({ kind, family, tables }) => ({ kind, family, text: [...tables.values()].map(renderTable).join('') })),
    restore: async (kind, family, text) => {
      const ruleset = rulesets.find((each) => each.kind === kind && each.family === family);
      const refusal = ruleset === undefined ? undefined : restore(ruleset, text.split('\n'));
      if (refusal !== undefined) {
        throw new ProgramError('program-refused', `restore of ${family} rules of ${kind} failed: ${refusal}`);
      }
    },
  };
}

const kinds: readonly IptablesKind[] = ['nft', 'legacy'];

interface Ruleset {
  readonly kind: IptablesKind;
  readonly family: Family;
  /** Those that are there. */
  readonly tables: Map<string, Table>;
  readonly ipset: FakeIpset;
}

/** Table after table; those before a refusal are changed. */
function restore(ruleset: Ruleset, lines: readonly string[]): Refusal | undefined {
  let open: { readonly table: Table; isTouched: boolean } | undefined;
  for (const line of lines) {
    if (line === '' || line.startsWith('#')) continue;
    if (open === undefined) {
      const opened = openTable(ruleset, line);
      if (typeof opened === 'string') return opened;
      open = { table: opened, isTouched: ruleset.tables.has(opened.name) };
    } else if (line === 'COMMIT') {
      if (hasLoop(open.table)) return 'loop';
      if (open.isTouched) commit(ruleset, open.table);
      open = undefined;
    } else {
      const parsed = parseLine(line);
      if (parsed === undefined) return 'not-understood';
      const refusal = applyLine(open.table, parsed, ruleset.family, (name) => ruleset.ipset.familyOf(name));
      if (refusal !== undefined) return refusal;
      open.isTouched = true;
    }
  }
  return open === undefined ? undefined : 'commit-missing';
}

/** A copy to be changed. */
function openTable({ kind, tables }: Ruleset, line: string): Table | Refusal {
  if (!line.startsWith('*')) return 'not-understood';
  const name = line.slice(1);
  const table = tables.get(name) ?? emptyTable(name);
  if (table === undefined) return 'no-such-table';
  // Asking for a table of iptables-legacy makes it; iptables-nft makes one with its first chain.
  if (kind === 'legacy') tables.set(name, table);
  return copyTable(table);
}

function commit({ tables, ipset }: Ruleset, table: Table): void {
  const before = tables.get(table.name);
  tables.set(table.name, table);
  for (const name of setsOf(table)) ipset.hold(name);
  for (const name of before === undefined ? [] : setsOf(before)) ipset.release(name);
}

function parseLine(line: string): Line | undefined {
  const [, declared, policy] = /^:(\S+) (\S+)(?: \[\d+:\d+\])?$/.exec(line) ?? [];
  if (declared !== undefined && policy !== undefined) return { kind: 'chain', chain: declared, policy };
  const [, option, chain, rule = ''] = /^(-[ADX]) (\S+)(?: (.*))?$/.exec(line) ?? [];
  if (chain === undefined) return undefined;
  if (option === '-X') return rule === '' ? { kind: 'remove', chain } : undefined;
  return { kind: option === '-A' ? 'append' : 'delete', chain, rule };
}
