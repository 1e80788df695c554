/** kube-router's rules in built-in chains of iptables, which no name tells (pkg/controllers/proxy, version 2.10). */

/** What it masquerades: everything that IPVS forwards, to the node's own address. */
export function isMasqueradeRule(table: string, chain: string, specification: string): boolean {
  return (
    table === 'nat' &&
    chain === 'POSTROUTING' &&
    /(?:^| )-m ipvs /.test(specification) &&
    / --vdir ORIGINAL /.test(specification) &&
    / --vmethod MASQ /.test(specification) &&
    / -j SNAT --to-source \S+/.test(specification)
  );
}

/**
 * The firewall mark that a rule gives a frontend with direct server return: it is a hash of the frontend, so it proves the
 * maker. Undefined: the rule is none of these.
 */
export function directReturnMark(table: string, specification: string): number | undefined {
  if (table !== 'mangle') return undefined;
  const address = /(?:^| )-d (\S+?)(?:\/32|\/128)? /.exec(specification)?.[1];
  const protocol = /(?:^| )-p (\S+)/.exec(specification)?.[1];
  const port = / --dport (\d+)/.exec(specification)?.[1];
  const mark = / -j MARK --set-xmark (0x[\da-f]+)\/0xffffffff/.exec(specification)?.[1];
  if (address === undefined || protocol === undefined || port === undefined || mark === undefined) return undefined;
  return Number(mark) === markOf(`${address}-${protocol}-${port}`) ? Number(mark) : undefined;
}

/** The limit of what a frontend with direct server return offers as segment size, on packets of pods on its bridge. */
export function isSegmentSizeRule(table: string, chain: string, specification: string): boolean {
  return (
    table === 'mangle' &&
    chain === 'PREROUTING' &&
    /(?:^| )-s \S+ /.test(specification) &&
    /(?:^| )-i kube-bridge /.test(specification) &&
    / --sport \d+ /.test(specification) &&
    / -j TCPMSS --set-mss \d+/.test(specification)
  );
}

/** FNV-1a of 32 bits, of which 14 are used (generateUniqueFWMark). */
function markOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash & 0x3fff;
}
