/** What a node should hold for Services of one family and policy Cluster, and what it holds by ip, nft and /proc/net/ip_vs. */

import type { World } from '../lab/world.ts';
import type { ServicePlan } from './many-services.ts';

/** Sorted lines. */
export interface NodeState {
  /** `TCP 10.96.0.1:80 rr`, and a line for each destination. */
  readonly ipvs: readonly string[];
  /** Addresses on the VIP interface. */
  readonly addresses: readonly string[];
  /** `10.96.0.1 src 192.0.2.10`. */
  readonly routes: readonly string[];
  /** `virtual_servers4 10.96.0.1 tcp 80`, `vips4 10.96.0.1`. */
  readonly elements: readonly string[];
}

export function expectedState(plans: readonly ServicePlan[], nodeAddress: string): NodeState {
  const frontends = plans.flatMap((plan) => [
    { plan, place: `${plan.clusterIP}:80`, element: `${plan.clusterIP} ${plan.protocol.toLowerCase()} 80` },
    ...(plan.nodePort === undefined
      ? []
      : [
          {
            plan,
            place: `${nodeAddress}:${plan.nodePort}`,
            element: `${nodeAddress} ${plan.protocol.toLowerCase()} ${plan.nodePort}`,
          },
        ]),
  ]);
  const ipvs = frontends.flatMap(({ plan, place }) => [
    `${plan.protocol} ${place} rr`,
    ...plan.endpoints.map(({ address, port }) => `${plan.protocol} ${place} -> ${address}:${port} Masq 1`),
  ]);
  const vips = plans.map(({ clusterIP }) => clusterIP);
  return {
    ipvs: ipvs.sort(),
    addresses: [...vips].sort(),
    routes: vips.map((vip) => `${vip} src ${nodeAddress}`).sort(),
    elements: [
      ...vips.map((vip) => `vips4 ${vip}`),
      ...frontends.map(({ element }) => `virtual_servers4 ${element}`),
    ].sort(),
  };
}

/** Without the destinations that are on their way out: weight 0, and nobody wants them. */
export function withoutDraining(state: NodeState): NodeState {
  return { ...state, ipvs: state.ipvs.filter((line) => !line.endsWith(' Masq 0')) };
}

/** One process for all, since starting one is slow in the lab. */
export async function readState(world: World, node: string): Promise<NodeState> {
  const commands = [
    // The kernel's own list: ipvsadm asks for every virtual server's destinations one by one.
    'cat /proc/net/ip_vs',
    'ip -j -4 address show dev kube-dummy-if',
    'ip -j -4 route show table local dev kube-dummy-if',
    'nft -j list set inet sluice virtual_servers4',
    'nft -j list set inet sluice vips4',
  ];
  const text = await world.run(world.node(node), ['sh', '-c', commands.join('; echo; echo ----; ')]);
  const [ipvs = '', addresses = '', routes = '', servers = '', vips = ''] = text.split('----\n');
  return {
    ipvs: ipvsLines(ipvs.trim()),
    addresses: addressLines(addresses),
    routes: routeLines(routes),
    elements: [...elementLines('virtual_servers4', servers), ...elementLines('vips4', vips)].sort(),
  };
}

/** `TCP  0A600001:0050 rr`, then `  -> 0A010901:1F90      Masq    1      0          0`. */
function ipvsLines(text: string): readonly string[] {
  const lines: string[] = [];
  let server = '';
  for (const line of text.split('\n').slice(3)) {
    const [first = '', second = '', third = '', fourth = ''] = line.trim().split(/\s+/);
    if (first === '->') {
      lines.push(`${server} -> ${placeOf(second)} ${third} ${fourth}`);
    } else {
      server = `${first} ${placeOf(second)}`;
      lines.push(`${server} ${third}`);
    }
  }
  return lines.sort();
}

function placeOf(hexadecimal: string): string {
  const [address = '', port = ''] = hexadecimal.split(':');
  const bytes = address.match(/../g) ?? [];
  return `${bytes.map((byte) => Number.parseInt(byte, 16)).join('.')}:${Number.parseInt(port, 16)}`;
}

// The shapes below are those of iproute2 6.1 and nftables 1.0.6; a change in them fails the comparison.
/* oxlint-disable typescript/no-unsafe-type-assertion */

function addressLines(json: string): readonly string[] {
  const links = JSON.parse(json) as readonly { readonly addr_info?: readonly { readonly local: string }[] }[];
  return links.flatMap((link) => (link.addr_info ?? []).map(({ local }) => local)).sort();
}

function routeLines(json: string): readonly string[] {
  const routes = JSON.parse(json) as readonly {
    readonly dst: string;
    readonly prefsrc?: string;
    readonly protocol?: string;
  }[];
  return routes
    .filter(({ protocol }) => protocol !== 'kernel')
    .map(({ dst, prefsrc }) => `${dst} src ${prefsrc ?? 'none'}`)
    .sort();
}

function elementLines(set: string, json: string): readonly string[] {
  const { nftables } = JSON.parse(json) as {
    readonly nftables: readonly { readonly set?: { readonly elem?: readonly unknown[] } }[];
  };
  const elements = nftables.flatMap((entry) => entry.set?.elem ?? []);
  return elements.map((element) => `${set} ${wordsOf(element).join(' ')}`);
}

/** An element is a value, a concatenation of values, or either of them with a comment. */
function wordsOf(element: unknown): readonly string[] {
  if (typeof element !== 'object' || element === null) {
    return [String(element)];
  }
  const { elem, concat } = element as {
    readonly elem?: { readonly val: unknown };
    readonly concat?: readonly unknown[];
  };
  return elem === undefined ? (concat ?? []).flatMap(wordsOf) : wordsOf(elem.val);
}
