import { destinationKey, virtualServerKey } from '../../core/keys.ts';
import type { DestinationState, VirtualServer, VirtualServerState } from '../../core/model/virtual-server.ts';

/**
 * A table as text, sorted, without connection counts: equal texts are equal tables.
 *
 *     TCP 10.96.0.1:80 rr
 *       -> 10.1.0.2:8080 masquerade weight 1
 */
export function renderIpvs(table: readonly VirtualServerState[]): string {
  return table.map(blockOf).sort().join('');
}

function blockOf({ server, destinations }: VirtualServerState): string {
  return `${[serverLine(server), ...destinations.map(destinationLine).sort()].join('\n')}\n`;
}

function serverLine(server: VirtualServer): string {
  const words = [virtualServerKey(server.identity), server.scheduler];
  if (server.flags !== 0) words.push(`flags 0x${server.flags.toString(16)}`);
  if (server.timeoutSeconds !== 0) words.push(`timeout ${server.timeoutSeconds}s`);
  if (server.prefixLength !== longest(server)) words.push(`prefix /${server.prefixLength}`);
  return words.join(' ');
}

function longest({ identity }: VirtualServer): number {
  const isIPv6 = identity.kind === 'fwmark' ? identity.family === 'IPv6' : identity.address.includes(':');
  return isIPv6 ? 128 : 32;
}

function destinationLine(destination: DestinationState): string {
  return `  -> ${destinationKey(destination)} ${destination.forwarding} weight ${destination.weight}`;
}
