/** What of an `iptables-save` text is another proxy's, and the `iptables-restore --noflush` text that removes it. */

import { directReturnMark, isMasqueradeRule, isSegmentSizeRule } from './kube-router-rules.ts';
import { chainOwner, type OtherProxy } from './names.ts';

/** What is there of one proxy in one text. */
export interface IptablesLeftovers {
  /** Input of `iptables-restore --noflush`; '' when there is nothing to remove. */
  readonly restore: string;
  /** `nat chain KUBE-SERVICES`, `nat rule -A PREROUTING …`. */
  readonly removed: readonly string[];
  readonly kept: readonly { readonly what: string; readonly why: string }[];
}

/** Finds what `proxy` left. Rules of chains that are not its own stay, and so do the chains that these rules lead to. */
export function iptablesLeftovers(saved: string, proxy: OtherProxy): IptablesLeftovers {
  const parts = parseSave(saved).map((table) => tableLeftovers(table, proxy));
  return {
    restore: parts.map(({ restore }) => restore).join(''),
    removed: parts.flatMap(({ removed }) => removed),
    kept: parts.flatMap(({ kept }) => kept),
  };
}

/** Whether kube-proxy masquerades what it marked, in a text of `iptables-save`. */
export function kubeProxyMasquerades(saved: string): boolean {
  const rules = parseSave(saved).flatMap((table) => (table.name === 'nat' ? table.rules : []));
  return rules.some(({ chain, target }) => chain === 'KUBE-POSTROUTING' && target === 'MASQUERADE');
}

/** The firewall marks that kube-router gives to frontends with direct server return, in a text of `iptables-save`. */
export function directReturnMarks(saved: string): readonly number[] {
  return parseSave(saved).flatMap(({ name, rules }) =>
    rules.flatMap(({ specification }) => directReturnMark(name, specification) ?? []),
  );
}

interface Table {
  readonly name: string;
  readonly chains: readonly { readonly name: string; readonly isBuiltIn: boolean }[];
  readonly rules: readonly Rule[];
}

interface Rule {
  readonly chain: string;
  /** Without `-A` and the chain. */
  readonly specification: string;
  /** The chain or target it leads to. */
  readonly target: string | undefined;
}

function parseSave(saved: string): readonly Table[] {
  const sections = saved.split(/^\*/m).slice(1);
  return sections.map((section) => {
    const lines = section.split('\n');
    return {
      name: (lines[0] ?? '').trim(),
      chains: lines.flatMap((line) => {
        const match = /^:(\S+) (\S+)/.exec(line);
        return match === null ? [] : [{ name: match[1] ?? '', isBuiltIn: match[2] !== '-' }];
      }),
      rules: lines.flatMap((line) => {
        const match = /^-A (\S+) ?(.*)$/.exec(line);
        return match === null ? [] : [ruleOf(match[1] ?? '', match[2] ?? '')];
      }),
    };
  });
}

function ruleOf(chain: string, specification: string): Rule {
  // What stands in quotes is a comment, which may say anything.
  const bare = specification.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  return { chain, specification, target: /(?:^| )-[jg] (\S+)/.exec(bare)?.[1] };
}

function tableLeftovers(table: Table, proxy: OtherProxy): IptablesLeftovers {
  const builtIn = new Set(table.chains.filter(({ isBuiltIn }) => isBuiltIn).map(({ name }) => name));
  const own = table.chains.map(({ name }) => name).filter((name) => chainOwner(name) === proxy);
  const used = usedByOthers(table, new Set(own), builtIn);
  const doomed = new Set(own.filter((name) => !used.has(name)));
  const rules = table.rules.filter(
    (rule) =>
      builtIn.has(rule.chain) && (leadsTo(rule, doomed) || (proxy === 'kube-router' && isOfKubeRouter(table, rule))),
  );
  const kept = [...used].map(([name, user]) => ({
    what: `${table.name} chain ${name}`,
    why: `a rule of the chain ${user}, which is not ${proxy}’s, leads to it`,
  }));
  if (doomed.size === 0 && rules.length === 0) return { restore: '', removed: [], kept };
  const lines = [
    `*${table.name}`,
    // Naming a chain empties it.
    ...[...doomed].map((name) => `:${name} - [0:0]`),
    ...rules.map(({ chain, specification }) => `-D ${chain} ${specification}`),
    ...[...doomed].map((name) => `-X ${name}`),
    'COMMIT',
    '',
  ];
  const removed = [
    ...rules.map(({ chain, specification }) => `${table.name} rule -A ${chain} ${specification}`),
    ...[...doomed].map((name) => `${table.name} chain ${name}`),
  ];
  return { restore: lines.join('\n'), removed, kept };
}

function leadsTo(rule: Rule, chains: ReadonlySet<string>): boolean {
  return rule.target !== undefined && chains.has(rule.target);
}

/** The proxy's chains that rules of others lead to, directly or through such a chain, with the chain that does. */
function usedByOthers(
  table: Table,
  own: ReadonlySet<string>,
  builtIn: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const used = new Map<string, string>();
  const visit = (rules: readonly Rule[]): void => {
    for (const { chain, target } of rules) {
      if (target !== undefined && own.has(target) && !used.has(target)) {
        used.set(target, chain);
        visit(table.rules.filter((rule) => rule.chain === target));
      }
    }
  };
  visit(table.rules.filter(({ chain }) => !own.has(chain) && !builtIn.has(chain)));
  return used;
}

function isOfKubeRouter(table: Table, { chain, specification }: Rule): boolean {
  return (
    isMasqueradeRule(table.name, chain, specification) ||
    isSegmentSizeRule(table.name, chain, specification) ||
    directReturnMark(table.name, specification) !== undefined
  );
}
