/** Which set of the table an element belongs to, and the shape of the set's keys. */

import { filterElementFamily } from '../../core/keys.ts';
import type { Family, Protocol } from '../../core/model/facts.ts';
import { families } from '../../core/model/facts.ts';
import { type FilterElement, isViewSet, type SetName, setNames } from '../../core/model/filter-element.ts';
import { IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP } from './constants.ts';

/** The name of sluice's table, in the family `inet`. */
export const tableName = 'sluice';

/**
 * What a key is made of: a frontend (address . protocol . port), a frontend and a range of sources, a range of addresses,
 * an address, an address twice (source . destination), or a mark. Fields stand one after another, each padded to four bytes; address,
 * protocol and port in network byte order, a mark in host order.
 */
export type KeyShape = 'frontend' | 'frontend-range' | 'range' | 'address' | 'address-pair' | 'mark';

/** One nftables set or map. */
export interface SetLayout {
  readonly set: SetName;
  readonly family: Family;
  /** Its name in the table. */
  readonly name: string;
  readonly key: KeyShape;
  /** Whether elements carry a mark as their data: a map. */
  readonly isMap: boolean;
}

/** Every set in the order in which it is listed. */
export const setLayouts: readonly SetLayout[] = setNames.flatMap((set) =>
  families.map((family) => layout(set, family)),
);

/** The set that an element belongs to. */
export function layoutOf(element: FilterElement): SetLayout {
  return byFamily[filterElementFamily(element)][element.set];
}

/** What one field of a key is, as nft names it. */
export type FieldType = 'ipv4_addr' | 'ipv6_addr' | 'inet_proto' | 'inet_service' | 'mark';

/** The fields of a key, in order. */
export function keyFields(set: SetLayout): readonly FieldType[] {
  const address: FieldType = set.family === 'IPv4' ? 'ipv4_addr' : 'ipv6_addr';
  switch (set.key) {
    case 'frontend':
      return [address, 'inet_proto', 'inet_service'];
    case 'frontend-range':
      return [address, 'inet_proto', 'inet_service', address];
    case 'range':
    case 'address':
      return [address];
    case 'address-pair':
      return [address, address];
    case 'mark':
      return ['mark'];
  }
}

/** Bytes of a field with its padding. */
export function fieldLength(field: FieldType): number {
  return field === 'ipv6_addr' ? 16 : 4;
}

/** Bytes of a key. */
export function keyLength(set: SetLayout): number {
  const address = set.family === 'IPv4' ? 4 : 16;
  switch (set.key) {
    case 'frontend':
      return address + 8;
    case 'frontend-range':
      return address * 2 + 8;
    case 'range':
    case 'address':
      return address;
    case 'address-pair':
      return address * 2;
    case 'mark':
      return 4;
  }
}

/** Whether elements stand for ranges of keys: an interval set. */
export function hasRanges(set: SetLayout): boolean {
  return set.key === 'frontend-range' || set.key === 'range';
}

/** The IP protocol number of a Service's protocol. */
export function protocolNumber(protocol: Protocol): number {
  switch (protocol) {
    case 'TCP':
      return IPPROTO_TCP;
    case 'UDP':
      return IPPROTO_UDP;
    case 'SCTP':
      return IPPROTO_SCTP;
  }
}

/** The protocol of an IP protocol number; undefined for others than those of Services. */
export function protocolOfNumber(value: number): Protocol | undefined {
  if (value === IPPROTO_TCP) return 'TCP';
  if (value === IPPROTO_UDP) return 'UDP';
  return value === IPPROTO_SCTP ? 'SCTP' : undefined;
}

function layout(set: SetName, family: Family): SetLayout {
  return { set, family, name: `${set}${family === 'IPv4' ? 4 : 6}`, key: keyShape(set), isMap: isViewSet(set) };
}

function keyShape(set: SetName): KeyShape {
  switch (set) {
    case 'pod_sources':
    case 'service_ranges':
      return 'range';
    case 'vips':
    case 'direct_return':
      return 'address';
    case 'hairpin':
      return 'address-pair';
    case 'fwmarks':
      return 'mark';
    case 'virtual_servers':
    case 'masquerade':
    case 'masquerade_outside':
    case 'inside_view':
    case 'direct_view':
    case 'drop':
    case 'drop_outside':
    case 'health_check':
    case 'restricted':
      return 'frontend';
    case 'allowed_sources':
      return 'frontend-range';
  }
}

const byFamily: Readonly<Record<Family, Readonly<Record<SetName, SetLayout>>>> = {
  IPv4: layoutsBySet('IPv4'),
  IPv6: layoutsBySet('IPv6'),
};

function layoutsBySet(family: Family): Readonly<Record<SetName, SetLayout>> {
  return {
    virtual_servers: layout('virtual_servers', family),
    fwmarks: layout('fwmarks', family),
    pod_sources: layout('pod_sources', family),
    service_ranges: layout('service_ranges', family),
    vips: layout('vips', family),
    masquerade: layout('masquerade', family),
    masquerade_outside: layout('masquerade_outside', family),
    inside_view: layout('inside_view', family),
    direct_view: layout('direct_view', family),
    direct_return: layout('direct_return', family),
    drop: layout('drop', family),
    drop_outside: layout('drop_outside', family),
    health_check: layout('health_check', family),
    restricted: layout('restricted', family),
    allowed_sources: layout('allowed_sources', family),
    hairpin: layout('hairpin', family),
  };
}
