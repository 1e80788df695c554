import type { Family } from '../../../src/core/model/facts.ts';
import type { IpvsOperation } from '../../../src/core/model/operation.ts';
import type { Destination, VirtualServer, VirtualServerIdentity } from '../../../src/core/model/virtual-server.ts';

/** `TCP 192.0.2.1:80` unless told otherwise. */
export function addressIdentity(
  parts: Partial<Omit<Extract<VirtualServerIdentity, { kind: 'address' }>, 'kind'>> = {},
): VirtualServerIdentity {
  return { kind: 'address', protocol: 'TCP', address: '192.0.2.1', port: 80, ...parts };
}

export function markIdentity(mark: number, family: Family = 'IPv4'): VirtualServerIdentity {
  return { kind: 'fwmark', family, mark };
}

/** A plain round-robin virtual server. */
export function virtualServer(
  identity: VirtualServerIdentity,
  parts: Partial<Omit<VirtualServer, 'identity'>> = {},
): VirtualServer {
  const isIPv6 = identity.kind === 'fwmark' ? identity.family === 'IPv6' : identity.address.includes(':');
  return { identity, scheduler: 'rr', flags: 0, timeoutSeconds: 0, prefixLength: isIPv6 ? 128 : 32, ...parts };
}

/** A masqueraded destination of weight 1 on port 8080. */
export function destination(address: string, parts: Partial<Omit<Destination, 'address'>> = {}): Destination {
  return { address, port: 8080, weight: 1, forwarding: 'masquerade', ...parts };
}

export function addServer(server: VirtualServer): IpvsOperation {
  return { kind: 'add-virtual-server', server };
}

export function editServer(server: VirtualServer): IpvsOperation {
  return { kind: 'edit-virtual-server', server };
}

export function removeServer(identity: VirtualServerIdentity): IpvsOperation {
  return { kind: 'remove-virtual-server', identity };
}

export function addDestination(identity: VirtualServerIdentity, to: Destination): IpvsOperation {
  return { kind: 'add-destination', identity, destination: to };
}

export function editDestination(identity: VirtualServerIdentity, to: Destination): IpvsOperation {
  return { kind: 'edit-destination', identity, destination: to };
}

export function removeDestination(identity: VirtualServerIdentity, to: Destination): IpvsOperation {
  return { kind: 'remove-destination', identity, destination: to };
}
