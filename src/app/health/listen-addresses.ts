/** Where servers for `healthCheckNodePort` listen: like node ports, but on loopback too where a CIDR asks for it. */

import { cidrContains, familyOf } from '../../core/address.ts';
import { type Family, families } from '../../core/model/facts.ts';
import type { NodePortAddresses } from '../config/config.ts';

export interface ListenAddressesInput {
  readonly wanted: NodePortAddresses;
  /** The node's own address per family. */
  readonly sources: Readonly<Record<Family, string | undefined>>;
  /** Every address of the node, loopback included. */
  readonly addresses: readonly string[];
}

/** `0.0.0.0` and `::` stand for all of their family. GetNodeIPs in kube-proxy's pkg/proxy/util/nodeport_addresses.go. */
export function listenAddresses(input: ListenAddressesInput): readonly string[] {
  return families.flatMap((family) => ofFamily(family, input));
}

const everyAddress: Readonly<Record<Family, string>> = { IPv4: '0.0.0.0', IPv6: '::' };

function ofFamily(family: Family, { wanted, sources, addresses }: ListenAddressesInput): readonly string[] {
  const all = [everyAddress[family]];
  if (wanted === 'all') {
    return all;
  }
  if (wanted === 'primary') {
    const primary = sources[family];
    return primary === undefined ? all : [primary];
  }
  const cidrs = wanted.filter((cidr) => cidr.family === family);
  if (cidrs.length === 0 || cidrs.some((cidr) => cidr.prefixLength === 0)) {
    return all;
  }
  const inside = addresses.filter(
    (address) => familyOf(address) === family && cidrs.some((cidr) => cidrContains(cidr, address)),
  );
  return [...new Set(inside)].sort();
}
