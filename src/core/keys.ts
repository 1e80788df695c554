/** Canonical text keys: what a person reads in a log is what the maps are indexed by. */

import { familyOf, formatEndpoint } from './address.ts';
import type { Family, Protocol } from './model/facts.ts';
import type { FilterElement } from './model/filter-element.ts';
import type { Destination, VirtualServer, VirtualServerIdentity } from './model/virtual-server.ts';

/** `TCP 10.96.0.1:80`, `UDP [fd00::1]:53`, `FWM 1001 IPv4`; the words are those of `ipvsadm -L`. */
export function virtualServerKey(identity: VirtualServerIdentity): string {
  switch (identity.kind) {
    case 'address':
      return frontendKey(identity.protocol, identity.address, identity.port);
    case 'fwmark':
      return `FWM ${identity.mark} ${identity.family}`;
  }
}

/** The key of the virtual server that an address, protocol and port make. */
export function frontendKey(protocol: Protocol, address: string, port: number): string {
  return `${protocol} ${formatEndpoint(address, port)}`;
}

/** `health-check 30100`. */
export function healthCheckKey(port: number): string {
  return `${healthCheckPrefix}${port}`;
}

export function isHealthCheckKey(key: string): boolean {
  return key.startsWith(healthCheckPrefix);
}

const healthCheckPrefix = 'health-check ';

/** `10.1.0.2:8080`, `[fd00::2]:8080`; unique within one virtual server. */
export function destinationKey(destination: { readonly address: string; readonly port: number }): string {
  return formatEndpoint(destination.address, destination.port);
}

/** Unique over all sets. The mark of a view is a value, not part of the key. */
export function filterElementKey(element: FilterElement): string {
  switch (element.set) {
    case 'vips':
    case 'direct_return':
    case 'hairpin':
      return `${element.set} ${element.address}`;
    case 'fwmarks':
      return `${element.set} ${element.mark} ${element.family}`;
    case 'pod_sources':
    case 'service_ranges':
      return `${element.set} ${element.range}`;
    case 'allowed_sources':
      return `${element.set} ${frontendKey(element.protocol, element.address, element.port)} from ${element.range}`;
    default:
      return `${element.set} ${frontendKey(element.protocol, element.address, element.port)}`;
  }
}

/** The family whose sets an element belongs to. */
export function filterElementFamily(element: FilterElement): Family {
  switch (element.set) {
    case 'fwmarks':
      return element.family;
    case 'pod_sources':
    case 'service_ranges':
      return familyOf(element.range);
    default:
      return familyOf(element.address);
  }
}

/** Names a virtual server with the settings that it had when the kernel refused it. */
export function serverQuarantineKey({
  identity,
  scheduler,
  flags,
  timeoutSeconds,
  prefixLength,
}: VirtualServer): string {
  return `${virtualServerKey(identity)} ${scheduler} ${flags} ${timeoutSeconds} ${prefixLength}`;
}

/** Names a destination as it was when the kernel refused it. */
export function quarantineKey(identity: VirtualServerIdentity, destination: Destination): string {
  return `${virtualServerKey(identity)} ${destinationKey(destination)} ${destination.forwarding} ${destination.weight}`;
}
