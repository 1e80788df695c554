/** One virtual server, 10.96.0.1:80, as it is wanted and as the kernel holds it. */

import { type ActualStore, adoptReading } from '../../src/core/actual.ts';
import { type DesiredStore, emptyDesired, setContribution } from '../../src/core/desired.ts';
import { listDestinations } from '../../src/core/destinations.ts';
import { virtualServerKey } from '../../src/core/keys.ts';
import type { Protocol } from '../../src/core/model/facts.ts';
import type { Destination, DestinationState, VirtualServer } from '../../src/core/model/virtual-server.ts';

/** A destination on port 8080. */
export function destination(address: string, weight = 1): Destination {
  return { address, port: 8080, weight, forwarding: 'masquerade' };
}

/** The same with the kernel's counts. */
export function destinationState(address: string, active: number, inactive: number): DestinationState {
  return { ...destination(address), activeConnections: active, inactiveConnections: inactive };
}

/** rr without persistence. */
export function virtualServer(protocol: Protocol = 'TCP', fields: Partial<VirtualServer> = {}): VirtualServer {
  const identity = { kind: 'address', protocol, address: '10.96.0.1', port: 80 } as const;
  return { identity, scheduler: 'rr', flags: 0, timeoutSeconds: 0, prefixLength: 32, ...fields };
}

/** Wants the virtual server with these endpoints and nothing else. */
export function wanting(addresses: readonly string[], protocol: Protocol = 'TCP'): DesiredStore {
  const desired = emptyDesired();
  const server = virtualServer(protocol);
  const key = virtualServerKey(server.identity);
  const destinations = listDestinations(addresses.map((address) => destination(address)));
  const value = { server, destinations, protocol, service: 'default/web', origin: 'default/web' };
  setContribution(desired, 'default/web', {
    service: 'default/web',
    createdAt: 1,
    scheduler: 'rr',
    frontends: [{ key, resources: [{ kind: 'virtual-server', key, value }] }],
    refusals: [],
    localGaps: [],
  });
  return desired;
}

/** Holds the virtual server with these destinations and nothing else. */
export function holding(addresses: readonly string[], protocol: Protocol = 'TCP'): ActualStore {
  const destinations = addresses.map((address) => destinationState(address, 0, 0));
  return adoptReading({ virtualServers: [{ server: virtualServer(protocol), destinations }], vips: [], elements: [] });
}
