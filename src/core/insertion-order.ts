import type { Destination } from './model/virtual-server.ts';

/**
 * The order in which the destinations of a new virtual server are added. The kernel's list starts with the last one
 * added and rr serves from its start, so the same order on all nodes would send every node's first connections to the
 * same endpoint (kubernetes/kubernetes#121591). The list is therefore turned by a hash of the node's name.
 * mh and the hashes stay in order: their tables depend on it and should agree between nodes.
 */
export function insertionOrder(
  destinations: readonly Destination[],
  scheduler: string,
  nodeName: string,
): readonly Destination[] {
  if (destinations.length < 2 || ordered.has(scheduler)) {
    return destinations;
  }
  const start = hash(`${nodeName} ${destinations[0]?.address}`) % destinations.length;
  return [...destinations.slice(start), ...destinations.slice(0, start)];
}

const ordered: ReadonlySet<string> = new Set(['mh', 'sh', 'dh']);

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return value;
}
