/** One table of iptables in memory: what a line of `iptables-restore` does to it, or why it is refused. */

import type { Family } from '../../core/model/facts.ts';

export interface Table {
  readonly name: string;
  /** Of built-in chains. */
  readonly policies: Map<string, string>;
  /** Rules as they are written, without `-A` and the chain; built-in chains come first. */
  readonly chains: Map<string, readonly string[]>;
}

/** A line within a table. */
export type Line =
  | { readonly kind: 'chain'; readonly chain: string; readonly policy: string }
  | { readonly kind: 'append' | 'delete'; readonly chain: string; readonly rule: string }
  | { readonly kind: 'remove'; readonly chain: string };

/** Why a program refuses a text. */
export type Refusal =
  | 'chain-in-use'
  | 'chain-is-built-in'
  | 'commit-missing'
  | 'loop'
  | 'name-taken'
  | 'name-too-long'
  | 'no-such-chain'
  | 'no-such-rule'
  | 'no-such-set'
  | 'no-such-table'
  | 'no-such-target'
  | 'not-understood'
  | 'set-of-other-family';

/** The family of a set; undefined when there is none of that name. */
type FamilyOfSet = (name: string) => Family | undefined;

/** Undefined when there is no table of that name. */
export function emptyTable(name: string): Table | undefined {
  const hooks = builtInChains.get(name);
  if (hooks === undefined) return undefined;
  return {
    name,
    policies: new Map(hooks.map((chain) => [chain, 'ACCEPT'])),
    chains: new Map(hooks.map((chain) => [chain, []])),
  };
}

export function copyTable({ name, policies, chains }: Table): Table {
  return { name, policies: new Map(policies), chains: new Map(chains) };
}

/** As iptables-save writes it: chains of others by their names. */
export function renderTable({ name, policies, chains }: Table): string {
  const others = [...chains.keys()].filter((chain) => !policies.has(chain)).sort();
  const names = [...policies.keys(), ...others];
  const lines = [
    `*${name}`,
    ...names.map((chain) => `:${chain} ${policies.get(chain) ?? '-'} [0:0]`),
    ...names.flatMap((chain) => (chains.get(chain) ?? []).map((rule) => `-A ${chain} ${rule}`.trimEnd())),
    'COMMIT',
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Changes the table, or says why not. */
export function applyLine(table: Table, line: Line, family: Family, familyOfSet: FamilyOfSet): Refusal | undefined {
  const rules = table.chains.get(line.chain);
  switch (line.kind) {
    case 'chain':
      return declareChain(table, line.chain, line.policy);
    case 'append': {
      if (rules === undefined) return 'no-such-chain';
      const refusal = ruleRefusal(table, line.rule, family, familyOfSet);
      if (refusal === undefined) table.chains.set(line.chain, [...rules, line.rule]);
      return refusal;
    }
    case 'delete': {
      const at = rules?.indexOf(line.rule) ?? -1;
      if (rules === undefined || at < 0) return 'no-such-rule';
      table.chains.set(line.chain, rules.toSpliced(at, 1));
      return undefined;
    }
    case 'remove':
      return removeChain(table, line.chain);
  }
}

/** Whether a chain leads to itself; chains that no built-in one leads to may. */
export function hasLoop({ policies, chains }: Table): boolean {
  const visit = (chain: string, above: readonly string[]): boolean => {
    if (above.includes(chain)) return true;
    const targets = (chains.get(chain) ?? []).map((rule) => targetOf(rule) ?? '');
    return targets.some((target) => chains.has(target) && visit(target, [...above, chain]));
  };
  return [...policies.keys()].some((chain) => visit(chain, []));
}

/** The sets that rules of the table name, once for each time. */
export function setsOf({ chains }: Table): readonly string[] {
  return [...chains.values()].flat().flatMap((rule) => setsNamed(rule));
}

const builtInChains: ReadonlyMap<string, readonly string[]> = new Map([
  ['filter', ['INPUT', 'FORWARD', 'OUTPUT']],
  ['nat', ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING']],
  ['mangle', ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']],
  ['raw', ['PREROUTING', 'OUTPUT']],
]);

/** Of the targets that are no chains, those that others' rules have here. */
const targets: ReadonlySet<string> = new Set(
  ['ACCEPT', 'DROP', 'RETURN', 'REJECT', 'MARK'].concat('MASQUERADE', 'SNAT', 'DNAT'),
);

/** XT_EXTENSION_MAXNAMELEN, without the zero at the end. */
const longestName = 28;

/** Naming a chain makes it, or empties it; a built-in one keeps its rules. */
function declareChain({ policies, chains }: Table, chain: string, policy: string): Refusal | undefined {
  if (policies.has(chain)) {
    if (policy !== '-') policies.set(chain, policy);
    return undefined;
  }
  if (policy !== '-') return 'not-understood';
  if (chain.length > longestName) return 'name-too-long';
  if (targets.has(chain)) return 'name-taken';
  chains.set(chain, []);
  return undefined;
}

function removeChain({ policies, chains }: Table, chain: string): Refusal | undefined {
  const rules = chains.get(chain);
  if (rules === undefined) return 'no-such-chain';
  if (policies.has(chain)) return 'chain-is-built-in';
  const isLedTo = [...chains.values()].flat().some((rule) => targetOf(rule) === chain);
  if (rules.length > 0 || isLedTo) return 'chain-in-use';
  chains.delete(chain);
  return undefined;
}

function ruleRefusal(
  { policies, chains }: Table,
  rule: string,
  family: Family,
  familyOfSet: FamilyOfSet,
): Refusal | undefined {
  const target = targetOf(rule);
  if (target !== undefined && policies.has(target)) return 'chain-is-built-in';
  if (target !== undefined && !chains.has(target) && !targets.has(target)) return 'no-such-target';
  const families = setsNamed(rule).map((name) => familyOfSet(name));
  if (families.includes(undefined)) return 'no-such-set';
  return families.every((each) => each === family) ? undefined : 'set-of-other-family';
}

function targetOf(rule: string): string | undefined {
  return wordsAfter(rule, ['-j', '-g'])[0];
}

function setsNamed(rule: string): readonly string[] {
  return wordsAfter(rule, ['--match-set']);
}

/** What stands in quotes is one word, a comment. */
function wordsAfter(rule: string, options: readonly string[]): readonly string[] {
  const words = rule.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  return words.flatMap((word, index) => (options.includes(words[index - 1] ?? '') ? [word] : []));
}
