import { type ObservedCounts, readCounts } from '../lab/state/ipvs.ts';
import { type Listing, listing } from '../lab/state/listing.ts';
import type { World } from '../lab/world.ts';
import { type NodeName, nodes } from './world.ts';

export type Listings = Readonly<Record<NodeName, Listing>>;

/** What both nodes hold now, by the tools that everybody has. */
export async function listNodes(world: World): Promise<Listings> {
  const [node1, node2] = await Promise.all(nodes.map((node) => listing(world.node(node))));
  if (node1 === undefined || node2 === undefined) throw new Error('expected two nodes');
  return { node1, node2 };
}

/** Lines of one listing that the other has not, with a sign before each. */
export function difference(before: Listing, after: Listing): readonly string[] {
  const [old, now] = [flat(before), flat(after)];
  const missing = [...old].filter((text) => !now.has(text)).map((text) => `- ${text}`);
  const added = [...now].filter((text) => !old.has(text)).map((text) => `+ ${text}`);
  return [...missing, ...added];
}

/**
 * Destinations that have had fewer connections than before, or are gone. The count begins at 0 with the destination, so
 * one that fell tells of a destination made anew. The kernel brings the counts up to date every two seconds.
 */
export async function fallenCounts(world: World, before: readonly ObservedCounts[]): Promise<readonly string[]> {
  const name = ({ service, address }: ObservedCounts): string => `${service} to ${address}`;
  const now = new Map((await readCounts(world.node('node1'))).map((each) => [name(each), each.connections]));
  return before
    .filter((each) => (now.get(name(each)) ?? -1) < each.connections)
    .map((each) => `${name(each)} had ${each.connections} connections, has ${now.get(name(each)) ?? 'gone'}`);
}

function flat(state: Listing): ReadonlySet<string> {
  const kinds: readonly (readonly [string, readonly string[]])[] = Object.entries(state);
  return new Set(kinds.flatMap(([kind, lines]) => lines.map((text) => `${kind}: ${text}`)));
}
