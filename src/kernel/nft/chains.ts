/**
 * The chains of sluice's table.
 *
 * IPVS schedules packets from other hosts and from pods in the hook input at priority 99, and those of the node's own
 * processes in the hook output at -98 (ip_vs_ops4 in net/netfilter/ipvs/ip_vs_core.c). The chains stand right before and
 * after it:
 *
 * - A mark that other programs set on the way (Calico and Cilium at mangle, kube-proxy in nat) cannot spoil ours, which
 *   IPVS compares as a whole, since nothing of theirs comes after us; and ours cannot misdirect a packet, since it is
 *   routed already (`ip rule fwmark`).
 * - The hook input sees only packets for this node: forwarded traffic pays nothing.
 *
 * After IPVS the marks are taken off again: a packet that a tunnel wraps keeps its mark, and its outer packet would be
 * masqueraded too.
 */

import { type Family, families } from '../../core/model/facts.ts';
import { directChain, unsteer } from './direct-chains.ts';
import { type Chain, type FamilyWords, hex, rule, words } from './rule-text.ts';

/** Every chain, in the order in which a packet meets them. */
export const chainNames = [
  'steer',
  'steer_from_node',
  'clamp',
  'unallocated',
  'before_ipvs',
  'before_ipvs_from_node',
  'after_ipvs',
  'source_nat',
  'unmark',
] as const;

export type ChainName = (typeof chainNames)[number];

export interface ChainInput {
  /** The bit that asks for masquerade. */
  readonly mark: number;
  /**
   * The bits that tell a view. Others may set further bits after IPVS has read the mark. All of them together are no view's:
   * they steer (see `steeringMark`).
   */
  readonly viewMask: number;
  /** The interface that pods are told by, `*` at its end for any that begins so; undefined: by their address. */
  readonly podInterface: string | undefined;
}

/** How many rules all chains have together. */
export function countChainRules(input: ChainInput): number {
  return chainNames.reduce((sum, name) => sum + chainOf(name, input).rules.length, 0);
}

/** A chain as it stands inside `table inet sluice { }`. */
export function chainText(name: ChainName, input: ChainInput): string {
  const chain = chainOf(name, input);
  return [
    `  chain ${name} {`,
    `    comment "${chain.comment}"`,
    `    type ${chain.hook}; policy accept;`,
    ...chain.rules.map((text) => `    ${text}`),
    '  }',
  ].join('\n');
}

function chainOf(name: ChainName, input: ChainInput): Chain {
  switch (name) {
    case 'steer':
    case 'steer_from_node':
    case 'clamp':
      return directChain(name, input.viewMask);
    case 'unallocated':
      return {
        hook: 'filter hook forward priority filter',
        comment: 'packets that this node would send on',
        rules: families.map((family) => {
          const f = words(family);
          return rule(`${f.ip} daddr @service_ranges${f.n} drop`, noService);
        }),
      };
    case 'before_ipvs':
      return {
        hook: 'filter hook input priority 90',
        comment: 'packets from pods and other hosts, before IPVS chooses an endpoint',
        rules: [unsteer(input.viewMask), ...families.flatMap((family) => beforeIpvs(family, input))],
      };
    case 'before_ipvs_from_node':
      return {
        hook: 'filter hook output priority -99',
        comment: 'packets of processes on this node, before IPVS chooses an endpoint',
        rules: [unsteer(input.viewMask), ...families.flatMap((family) => beforeIpvsFromNode(family, input))],
      };
    case 'after_ipvs':
      return {
        hook: 'filter hook input priority 110',
        comment: 'what IPVS left: ports of a VIP that no Service has',
        rules: families.flatMap(afterIpvs),
      };
    case 'source_nat':
      return {
        hook: 'nat hook postrouting priority srcnat',
        comment: 'after IPVS has chosen the endpoint',
        rules: sourceNat(input),
      };
    case 'unmark':
      return {
        hook: 'filter hook postrouting priority 101',
        comment: 'marks that sluice set have done their work',
        rules: unmark(input),
      };
  }
}

const noService = 'an address for Services that no Service has';

/** Without sources of a family nobody is a pod; masquerade_outside then has no elements of it. */
function detector(
  f: FamilyWords,
  { podInterface }: ChainInput,
): { readonly fromPod: string; readonly fromOutside: string } {
  const [key, pods] =
    podInterface === undefined ? [`${f.ip} saddr`, `@pod_sources${f.n}`] : ['iifname', `"${podInterface}"`];
  return { fromPod: `${key} ${pods}`, fromOutside: `${key} != ${pods}` };
}

/** What holds for every source, pod, node and client outside alike: first in both chains before IPVS. */
function everySource(f: FamilyWords): readonly string[] {
  const source = `${f.restrictedFrontend} . ${f.ip} saddr`;
  return [
    rule(`ct state new ${f.frontend} @drop${f.n} drop`, 'no endpoint that the policy allows'),
    rule(
      `ct state new ${f.frontend} @restricted${f.n} ${source} != @allowed_sources${f.n} drop`,
      'not among the loadBalancerSourceRanges',
    ),
  ];
}

function beforeIpvs(family: Family, input: ChainInput): readonly string[] {
  const f = words(family);
  const { fromPod, fromOutside } = detector(f, input);
  const view = `meta mark set ${f.frontend} map @inside_view${f.n}`;
  return [
    ...everySource(f),
    rule(`${fromPod} ${view} accept`, 'pods get the endpoints of the whole cluster'),
    rule(`${fromOutside} ct state new ${f.frontend} @drop_outside${f.n} drop`, 'no endpoint on this node'),
    rule(`${fromOutside} meta mark set ${f.frontend} map @direct_view${f.n} accept`, 'endpoints answer directly'),
    rule(`${fromOutside} ${f.frontend} @masquerade_outside${f.n} ${addMark(input)} accept`, 'clients that are no pods'),
    rule(`${f.frontend} @masquerade${f.n} ${addMark(input)}`, 'every client'),
  ];
}

/**
 * A packet to a VIP has the node's address as its source, by the VIP's route, and needs no masquerade. One to a node
 * port has the address that it goes to, which may be one that pods cannot answer to (docker0, a second network).
 */
function beforeIpvsFromNode(family: Family, input: ChainInput): readonly string[] {
  const f = words(family);
  return [
    // Also an address that another program on this node answers for is local; only the rest would leave the node.
    rule(`${f.ip} daddr @service_ranges${f.n} fib daddr type != local drop`, noService),
    ...everySource(f),
    rule(
      `meta mark set ${f.frontend} map @inside_view${f.n} accept`,
      'the node gets the endpoints of the whole cluster',
    ),
    rule(`${f.ip} daddr != @vips${f.n} ${f.frontend} @masquerade${f.n} ${addMark(input)}`, 'node ports'),
  ];
}

/** What answers belong to connections that were opened with a VIP as source, before its route had another. */
function afterIpvs(family: Family): readonly string[] {
  const f = words(family);
  const toVip = `${f.ip} daddr @vips${f.n}`;
  return [
    rule(`${toVip} ct direction reply accept`, 'answers to this node'),
    rule(`${toVip} ${f.icmp} accept`, 'ping and errors'),
    rule(`${f.frontend} @health_check${f.n} accept`, 'probes of load balancers'),
    rule(`${toVip} meta l4proto tcp reject with tcp reset`, 'not a port of a Service'),
    rule(`${toVip} reject`, 'not a port of a Service'),
  ];
}

function sourceNat(input: ChainInput): readonly string[] {
  const hairpin = families.map((family) => {
    const f = words(family);
    const pair = `${f.ip} saddr . ${f.ip} daddr`;
    return rule(`${pair} @hairpin${f.n} masquerade fully-random`, 'a pod that reaches itself must see another source');
  });
  const nodePorts = families.map((family) => {
    const f = words(family);
    // What a tunnel has wrapped keeps the mark.
    const own = `meta l4proto { tcp, udp, sctp } ${viewMark(input, f)} fib saddr type local ct original ${f.ip} daddr != @vips${f.n}`;
    return rule(`meta nfproto ${f.nfproto} ${own} masquerade fully-random`, 'node ports, from the node itself');
  });
  return [
    rule(`meta mark & ${hex(input.mark)} == ${hex(input.mark)} masquerade fully-random`, 'asked for before IPVS'),
    ...hairpin,
    ...nodePorts,
  ];
}

function unmark(input: ChainInput): readonly string[] {
  const rest = (~input.mark >>> 0).toString(16);
  const views = families.map((family) => {
    const f = words(family);
    const cleared = `meta mark set meta mark & ${hex(~input.viewMask >>> 0)}`;
    return rule(`meta nfproto ${f.nfproto} ${viewMark(input, f)} ${cleared}`, 'the view of clients inside');
  });
  const marked = `meta mark & ${hex(input.mark)} == ${hex(input.mark)}`;
  return [
    rule(`${marked} ${unmasqueraded} drop`, 'a flow older than its Service, until its record is deleted'),
    rule(`${marked} meta mark set meta mark & 0x${rest}`, 'masquerade'),
    ...views,
  ];
}

/**
 * What was asked for and not done. The rules of nat see only the first packet of a flow: one that went elsewhere before the
 * Service was there has a record without masquerade, and would reach the endpoint with the client as its source. Flows
 * that are answered are left alone, and those from an address of the node, which need no masquerade to be answered.
 */
const unmasqueraded = 'ct state new ct status & snat != snat fib saddr type != local';

/** Matches a packet that sluice sent to a view. */
function viewMark(input: ChainInput, f: FamilyWords): string {
  return `meta mark & ${hex(input.viewMask)} @fwmarks${f.n}`;
}

function addMark(input: ChainInput): string {
  return `meta mark set meta mark | ${hex(input.mark)}`;
}
