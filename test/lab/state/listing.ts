import { output } from '../execute.ts';
import type { Place } from '../world/places.ts';

/** The full state of a node, one sorted list of lines per kind, without what changes by itself. */
export interface Listing {
  readonly links: readonly string[];
  readonly addresses: readonly string[];
  readonly routes: readonly string[];
  readonly rules: readonly string[];
  readonly nftables: readonly string[];
  readonly ipvs: readonly string[];
}

const commands = [
  'ip -j -d link show',
  'ip -j address show',
  'ip -j -4 route show table all',
  'ip -j -6 route show table all',
  'ip -j -4 rule show',
  'ip -j -6 rule show',
  'nft -j list ruleset',
  'ipvsadm -Sn',
];

/** Lists a node. Two listings are equal when nothing was made, removed or changed on the node in between. */
export async function listing(at: Place): Promise<Listing> {
  // One process enters the namespace, not eight. A missing table makes "ip" fail with nothing to list.
  const script = commands.map((each) => `${each}; echo; echo ----`).join('\n');
  const parts = (await output(at.name, ['sh', '-c', `${script}\ntrue`])).split('----\n');
  const [links, addresses, routes4, routes6, rules4, rules6, nftables, ipvs] = parts.map((part) => part.trim());
  return {
    links: lines(links, linkNoise),
    addresses: lines(addresses, addressNoise),
    routes: [...label('IPv4', lines(routes4, routeNoise)), ...label('IPv6', lines(routes6, routeNoise))],
    rules: [...label('IPv4', lines(rules4)), ...label('IPv6', lines(rules6))],
    nftables: nftablesLines(nftables),
    ipvs: (ipvs ?? '')
      .split('\n')
      .filter((each) => each !== '')
      .sort(),
  };
}

/** Numbers that the kernel gives anew and states that traffic changes. */
const bridgeTimers = [
  'gc_timer',
  'hello_timer',
  'tcn_timer',
  'hold_timer',
  'message_age_timer',
  'forward_delay_timer',
  'topology_change_timer',
];
const linkNoise = ['ifindex', 'link_index', 'linkmode', 'stats', 'stats64', ...bridgeTimers];
const addressNoise = ['ifindex', 'link_index', 'valid_life_time', 'preferred_life_time', 'tentative'];
const routeNoise = ['expires', 'cache', 'used', 'age'];
const nftablesNoise = ['handle', 'packets', 'bytes', 'index'];

function lines(json = '[]', noise: readonly string[] = []): readonly string[] {
  const entries = JSON.parse(json === '' ? '[]' : json) as readonly unknown[];
  return entries.map((entry) => JSON.stringify(without(entry, noise))).sort();
}

/** The order of rules in a chain matters; that of everything else is the kernel's own. */
function nftablesLines(json = ''): readonly string[] {
  const { nftables = [] } = JSON.parse(json === '' ? '{}' : json) as { readonly nftables?: readonly object[] };
  const listed = nftables.filter((entry) => !('metainfo' in entry)).map((entry) => without(entry, nftablesNoise));
  const text = (entry: unknown) => JSON.stringify(entry);
  const isRule = (entry: unknown) => typeof entry === 'object' && entry !== null && 'rule' in entry;
  return [
    ...listed
      .filter((entry) => !isRule(entry))
      .map(text)
      .sort(),
    ...listed.filter(isRule).map(text),
  ];
}

function without(value: unknown, noise: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((each) => without(each, noise));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !noise.includes(name));
  return Object.fromEntries(kept.map(([name, each]) => [name, without(each, noise)]));
}

function label(family: string, texts: readonly string[]): readonly string[] {
  return texts.map((text) => `${family} ${text}`);
}
