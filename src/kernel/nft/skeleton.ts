/**
 * The text of sluice's table: sets, chains and rules, for `nft -f`. One file is one transaction: sets and their elements
 * stay, chains are made anew. There is one rule for each concern, none for each Service.
 */

import { createHash } from 'node:crypto';
import { type CIDR, formatCIDR, parseCIDR } from '../../core/address.ts';
import { type Family, families } from '../../core/model/facts.ts';
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

/** Renders the table. Throws RangeError for a CIDR or mark that is none: the configuration has checked them. */
export function renderSkeleton(skeleton: FilterSkeleton): RenderedSkeleton {
  const cidrs = skeleton.clusterCIDRs.map(requireCIDR);
  const mark = requireMark(skeleton.masqueradeMark);
  const viewMask = requireMark(skeleton.fwmarkMask);
  const knowsPods = (family: Family): boolean => cidrs.some((cidr) => cidr.family === family);
  const table = `inet ${tableName}`;
  const input: ChainInput = { mark, viewMask, knowsPods };
  const lines = [
    `add table ${table} { comment "made by sluice, the Service proxy of this node; changes are undone"; }`,
    ...setLayouts.map((set) => addSet(table, set)),
    ...families.flatMap((family) => clusterCidrSet(table, family, cidrs)),
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

function clusterCidrSet(table: string, family: Family, cidrs: readonly CIDR[]): readonly string[] {
  const name = `cluster_cidr${family === 'IPv4' ? 4 : 6}`;
  const own = cidrs.filter((cidr) => cidr.family === family);
  const options = `type ${addressType(family)}; flags interval; auto-merge; comment "${setComments.cluster_cidr}";`;
  return [
    `add set ${table} ${name} { ${options} }`,
    `flush set ${table} ${name}`,
    ...(own.length === 0 ? [] : [`add element ${table} ${name} { ${own.map(formatCIDR).join(', ')} }`]),
  ];
}

function requireCIDR(text: string): CIDR {
  const cidr = parseCIDR(text);
  if (cidr === undefined) throw new RangeError(`expected a CIDR, found ${JSON.stringify(text)}`);
  return cidr;
}

function requireMark(mark: number): number {
  if (Number.isInteger(mark) && mark > 0 && mark <= 0xffff_ffff) return mark;
  throw new RangeError(`expected a mark, found ${mark}`);
}
