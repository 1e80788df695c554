/**
 * What in the kernel is sluice's when the nftables table that records it is gone (somebody flushed the ruleset). Local
 * routes carry sluice's route protocol number, so the VIPs are known; virtual servers on these VIPs are taken for
 * sluice's too. Virtual servers on node addresses cannot be told from others' and are left alone.
 */

import type { Reading } from '../core/actual.ts';
import type { FilterElement } from '../core/model/filter-element.ts';
import type { KernelPorts } from '../kernel/executor.ts';
import type { FilterSkeleton } from '../kernel/ports.ts';

export function recoverOwnership(reading: Omit<Reading, 'elements'>): readonly FilterElement[] {
  const vips = reading.vips.filter((vip) => vip.routed).map((vip) => vip.address);
  const ours = new Set(vips);
  const elements: FilterElement[] = vips.map((address) => ({ set: 'vips', address }));
  for (const { server } of reading.virtualServers) {
    const { identity } = server;
    if (identity.kind === 'address' && ours.has(identity.address)) {
      const { address, protocol, port } = identity;
      elements.push({ set: 'virtual_servers', address, protocol, port });
    }
  }
  return elements;
}

/** Loads the table; when it was missing, what can be recovered is recorded in it before anything is planned. */
export async function ensureRecord(ports: KernelPorts, skeleton: FilterSkeleton): Promise<void> {
  const isLost = ports.filter.dump() === undefined;
  await ports.filter.ensureTable(skeleton);
  if (isLost) {
    const recovered = recoverOwnership({ virtualServers: ports.ipvs.dump(), vips: ports.link.dumpVips() });
    ports.filter.apply(recovered.map((element) => ({ kind: 'add-element', element })));
  }
}
