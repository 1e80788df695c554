/** What an API server would have filled in before anyone could watch the object. */

import { familyOf } from '../../core/address.ts';
import { canonicalAddress } from '../project/addresses.ts';
import { isJsonObject, type JsonObject } from '../project/json.ts';

/** A new object; fields of the wrong type are left for the projection to judge. */
export function withServerDefaults(raw: JsonObject): JsonObject {
  switch (raw['kind']) {
    case 'Service':
      return { ...withNamespace(raw), spec: withAddresses(raw['spec']) };
    case 'EndpointSlice':
      return { ...withNamespace(raw), ports: withPortNames(raw['ports']) };
    default:
      return raw;
  }
}

function withNamespace(raw: JsonObject): JsonObject {
  const { metadata } = raw;
  return isJsonObject(metadata) ? { ...raw, metadata: { namespace: 'default', ...metadata } } : raw;
}

/** `clusterIP` and `clusterIPs[0]` are one; `ipFamilies` follows from the addresses. */
function withAddresses(spec: unknown): unknown {
  if (!isJsonObject(spec)) {
    return spec;
  }
  const given: unknown = spec['clusterIPs'] ?? (isAddress(spec['clusterIP']) ? [spec['clusterIP']] : []);
  if (!Array.isArray(given) || given.length === 0) {
    return spec;
  }
  const clusterIPs: readonly unknown[] = given;
  return {
    ...spec,
    clusterIP: spec['clusterIP'] ?? clusterIPs[0],
    clusterIPs,
    ipFamilies: spec['ipFamilies'] ?? familiesOf(clusterIPs),
  };
}

function isAddress(value: unknown): boolean {
  return typeof value === 'string' && canonicalAddress(value) !== undefined;
}

/** Empty when one of them is no address: then `clusterIP` alone counts. */
function familiesOf(addresses: readonly unknown[]): readonly string[] {
  const canonical = addresses.map((address) => (typeof address === 'string' ? canonicalAddress(address) : undefined));
  const known = canonical.filter((address) => address !== undefined);
  return known.length === canonical.length ? known.map(familyOf) : [];
}

/** The API's own conversion writes '' for an unnamed port. */
function withPortNames(ports: unknown): unknown {
  return Array.isArray(ports)
    ? ports.map((port: unknown) => (isJsonObject(port) ? { name: '', ...port } : port))
    : ports;
}
