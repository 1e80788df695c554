/**
 * The text of sluice's table: sets, chains and rules, for `nft -f`. One file is one transaction: sets and their elements
 * stay, chains are made anew. There is one rule for each concern, none for each Service.
 */

import { createHash } from 'node:crypto';
import type { Family } from '../../core/model/facts.ts';
import type { FilterSkeleton } from '../ports.ts';
import { type ChainInput, chainNames, chainText, countChainRules } from './chains.ts';
import { setComments } from './set-comments.ts';
import { hasRanges, type KeyShape, type SetLayout, setLayouts, tableName } from './set-layout.ts';

/** The table's text, and how it is known again in the kernel. */
export interface RenderedSkeleton {
  readonly text: string;
  /** Stands in the comment of the chain `stampChain`: the hash of everything else. */
  readonly stamp: string;
  readonly rules: number;
}

/** A chain without rules that only says which text was loaded. */
export const stampChain = 'loaded_text';

/** Renders the table. Throws RangeError for a mark or interface that is none: the configuration has checked them. */
export function renderSkeleton(skeleton: FilterSkeleton): RenderedSkeleton {
  const mark = requireMark(skeleton.masqueradeMark);
  const viewMask = requireMark(skeleton.fwmarkMask);
  const podInterface = skeleton.podInterface === undefined ? undefined : requireInterface(skeleton.podInterface);
  const table = `inet ${tableName}`;
  const input: ChainInput = { mark, viewMask, podInterface };
  const lines = [
    `add table ${table} { comment "made by sluice, the Service proxy of this node; changes are undone"; }`,
    ...setLayouts.map((set) => addSet(table, set)),
    // A chain whose hook or priority differs cannot be changed; added first, so that deleting it never fails.
    ...[...chainNames, stampChain].flatMap((name) => [
      `add chain ${table} ${name}`,
      `flush chain ${table} ${name}`,
      `delete chain ${table} ${name}`,
    ]),
    `table ${table} {`,
    ...chainNames.map((name) => chainText(name, input)),
  ];
  const stamp = createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);
  const text = [...lines, `  chain ${stampChain} { comment "${stamp}"; }`, '}', ''].join('\n');
  return { text, stamp, rules: countChainRules(input) };
}

function addSet(table: string, set: SetLayout): string {
  const type = `${keyType(set.key, set.family)}${set.isMap ? ' : mark' : ''}`;
  const kind = set.isMap ? 'map' : 'set';
  const flags = hasRanges(set) ? ' flags interval;' : '';
  return `add ${kind} ${table} ${set.name} { type ${type};${flags} comment "${setComments[set.set]}"; }`;
}

function keyType(key: KeyShape, family: Family): string {
  const address = addressType(family);
  switch (key) {
    case 'frontend':
      return `${address} . inet_proto . inet_service`;
    case 'frontend-range':
      return `${address} . inet_proto . inet_service . ${address}`;
    case 'range':
    case 'address':
      return address;
    case 'address-pair':
      return `${address} . ${address}`;
    case 'mark':
      return 'mark';
  }
}

function addressType(family: Family): string {
  return family === 'IPv4' ? 'ipv4_addr' : 'ipv6_addr';
}

/** What nft takes between quotes; a backslash or a star inside would mean something to it. */
function requireInterface(pattern: string): string {
  if (/^[^\s/:"*\\]{1,15}\*?$/.test(pattern)) return pattern;
  throw new RangeError(`expected the name of an interface, found ${JSON.stringify(pattern)}`);
}

function requireMark(mark: number): number {
  if (Number.isInteger(mark) && mark > 0 && mark <= 0xffff_ffff) return mark;
  throw new RangeError(`expected a mark, found ${mark}`);
}
