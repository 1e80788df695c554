/** What comes in at the backends, written down by nftables where it arrives: no packet is missed, answered or not. */

import type { Place } from '../../lab/world/places.ts';
import type { World } from '../../lab/world.ts';
import { daemonPort } from './services.ts';

/** In a pod: who came, at which port. */
const podTable = `
table inet watch {
  set seen { type ipv4_addr . inet_service; size 65535; flags dynamic; }
  chain arrivals {
    type filter hook prerouting priority -300;
    ip protocol { tcp, udp } th dport 8001-8099 update @seen { ip saddr . th dport }
  }
}
`;

/** On a node, after everybody: which of its addresses its daemon was reached at. */
const nodeTable = `
table inet watch {
  set seen { type ipv4_addr . inet_service; size 65535; flags dynamic; }
  chain arrivals {
    type filter hook input priority 300;
    ip protocol { tcp, udp } th dport ${daemonPort} update @seen { ip daddr . th dport }
  }
}
`;

export async function watchArrivals(world: World, at: Place): Promise<void> {
  const isPod = 'node' in at;
  await world.run(at, ['nft', '-f', '-'], isPod ? podTable : nodeTable);
}

/** `10.1.0.1 8001`, sorted. */
export async function arrivals(world: World, at: Place): Promise<readonly string[]> {
  const listed = await world.run(at, ['nft', '-j', 'list', 'set', 'inet', 'watch', 'seen']);
  // The shape is that of nftables 1.0.6.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { nftables } = JSON.parse(listed) as {
    readonly nftables: readonly { readonly set?: { readonly elem?: readonly Element[] } }[];
  };
  const elements = nftables.flatMap(({ set }) => set?.elem ?? []);
  return elements.map((element) => ('elem' in element ? element.elem.val : element).concat.join(' ')).sort();
}

interface Concatenation {
  readonly concat: readonly (string | number)[];
}

type Element = Concatenation | { readonly elem: { readonly val: Concatenation } };
