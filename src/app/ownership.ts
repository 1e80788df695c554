/**
 * What in the kernel is sluice's when the nftables table that records it is gone (somebody flushed the ruleset). Local
 * routes carry sluice's route protocol number, so the VIPs are known. Of the virtual servers on these VIPs are ours:
 *
 * - those that a Service wants: they would be taken over anyway;
 * - those on a VIP that no Service has any more: they are left from the Service that had it, and the VIP goes too.
 *
 * On a VIP that is still in use, a virtual server at a port that no Service has may be ours, of a port that went away
 * meanwhile, or somebody else's. It is left alone, and told of. Virtual servers on node addresses cannot be told from
 * others' at all and are left alone, like those of firewall marks.
 */

import type { Reading } from '../core/actual.ts';
import { frontendKey, virtualServerKey } from '../core/keys.ts';
import type { ServiceFact } from '../core/model/facts.ts';
import type { FilterElement, SetName } from '../core/model/filter-element.ts';
import type { KernelPorts } from '../kernel/executor.ts';
import type { FilterSkeleton, TableState } from '../kernel/ports.ts';

/** The sets that tell what is sluice's, which every version has. */
export const recordSets: readonly SetName[] = ['virtual_servers', 'fwmarks', 'vips'];

export interface Recovered {
  readonly elements: readonly FilterElement[];
  /** Keys of virtual servers on VIPs of sluice's of which nobody can tell whose they are. */
  readonly unclear: readonly string[];
}

/** Without Services (cleanup) every VIP is one that no Service has any more. */
export function recoverOwnership(reading: Omit<Reading, 'elements'>, services: Iterable<ServiceFact>): Recovered {
  const vips = reading.vips.filter((vip) => vip.routed).map((vip) => vip.address);
  const ours = new Set(vips);
  // On a node that has no VIP yet nothing is ours, whatever Services there are.
  const claims = claimsOf(ours.size === 0 ? [] : services);
  const elements: FilterElement[] = vips.map((address) => ({ set: 'vips', address }));
  const unclear: string[] = [];
  for (const { server } of reading.virtualServers) {
    const { identity } = server;
    if (identity.kind !== 'address' || !ours.has(identity.address)) {
      continue;
    }
    const { address, protocol, port } = identity;
    if (claims.addresses.has(address) && !claims.frontends.has(frontendKey(protocol, address, port))) {
      unclear.push(virtualServerKey(identity));
    } else {
      elements.push({ set: 'virtual_servers', address, protocol, port });
    }
  }
  return { elements, unclear };
}

/** The record of what is sluice's, as it is when planning may begin. */
export interface EnsuredRecord {
  /** `to-be-filled`: the table has to be loaded once more after the first pass. */
  readonly table: TableState;
  /** Virtual servers that are left alone though they are on VIPs of sluice's. */
  readonly unclear: readonly string[];
}

/**
 * Loads the table; when it was missing or its record could not be understood, what can be recovered is recorded in it
 * before anything is planned. Rejects with NftError or KernelError; trying again finds the record lost again.
 */
export async function ensureRecord(
  ports: KernelPorts,
  skeleton: FilterSkeleton,
  services: Iterable<ServiceFact>,
): Promise<EnsuredRecord> {
  const isLost = !ports.filter.holds(recordSets);
  const table = await ports.filter.ensureTable(skeleton, { fillsFirst: !isLost });
  if (!isLost) {
    return { table, unclear: [] };
  }
  const { elements, unclear } = recoverOwnership(
    { virtualServers: ports.ipvs.dump(), vips: ports.link.dumpVips() },
    services,
  );
  const [failure] = ports.filter.apply(elements.map((element) => ({ kind: 'add-element', element }))).failures;
  if (failure !== undefined) {
    // With the table there and the record incomplete, the next attempt would take what is missing for somebody else's.
    ports.filter.removeTable();
    throw failure.error;
  }
  return { table, unclear };
}

/**
 * Loads the table where there is neither a record nor a VIP: nothing there is sluice's then, whatever Services there are,
 * so that no list need be waited for. Rejects like `ensureRecord`, which finds what went wrong here again.
 */
export async function prepareTable(ports: KernelPorts, skeleton: FilterSkeleton): Promise<void> {
  if (!ports.filter.holds(recordSets) && ports.link.dumpVips().length === 0) {
    await ports.filter.ensureTable(skeleton);
  }
}

interface Claims {
  readonly addresses: ReadonlySet<string>;
  readonly frontends: ReadonlySet<string>;
}

/** What Services have on VIPs, whether it can be programmed or not. */
function claimsOf(services: Iterable<ServiceFact>): Claims {
  const addresses = new Set<string>();
  const frontends = new Set<string>();
  for (const { clusterIPs, externalIPs, loadBalancerIPs, ports } of services) {
    for (const address of [...clusterIPs, ...externalIPs, ...loadBalancerIPs]) {
      addresses.add(address);
      for (const { protocol, port } of ports) {
        frontends.add(frontendKey(protocol, address, port));
      }
    }
  }
  return { addresses, frontends };
}
