/**
 * The text of sluice's table: sets, chains and rules, for `nft -f`. One file is one transaction: sets and their elements
 * stay, chains are made anew. There is one rule for each concern, none for each Service.
 */

import { createHash } from 'node:crypto';
import type { FilterSkeleton } from '../ports.ts';
import { type ChainInput, chainNames, chainText, countChainRules } from './chains.ts';
import { setComments } from './set-comments.ts';
import { hasRanges, keyFields, type SetLayout, setLayouts, tableName } from './set-layout.ts';

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
    ...setLayouts.map(addSet),
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

/** The command that makes a set unless it is there; nft refuses it where one of another type is. */
export function addSet(set: SetLayout): string {
  const type = `${keyFields(set).join(' . ')}${set.isMap ? ' : mark' : ''}`;
  const kind = set.isMap ? 'map' : 'set';
  const flags = hasRanges(set) ? ' flags interval;' : '';
  return `add ${kind} inet ${tableName} ${set.name} { type ${type};${flags} comment "${setComments[set.set]}"; }`;
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
