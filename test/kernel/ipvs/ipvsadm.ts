import { formatEndpoint } from '../../../src/core/address.ts';
import {
  type Destination,
  type ForwardingMethod,
  type VirtualServer,
  type VirtualServerIdentity,
  type VirtualServerState,
  virtualServerFlags,
} from '../../../src/core/model/virtual-server.ts';

/** A table as the lines of `ipvsadm -Sn` (ipvsadm 1.31), which is a reader of its own. */
export function ipvsadmLines(table: readonly VirtualServerState[]): readonly string[] {
  return table.flatMap(({ server, destinations }) => [
    `-A ${identityWords(server.identity)} -s ${server.scheduler}${persistenceWords(server)}${flagWords(server)}`,
    ...destinations.map((to) => `-a ${identityWords(server.identity)} ${destinationWords(to)}`),
  ]);
}

function identityWords(identity: VirtualServerIdentity): string {
  if (identity.kind === 'fwmark') return `-f ${identity.mark | 0}${identity.family === 'IPv6' ? ' -6' : ''}`;
  const option = { TCP: '-t', UDP: '-u', SCTP: '--sctp-service' }[identity.protocol];
  return `${option} ${formatEndpoint(identity.address, identity.port)}`;
}

function persistenceWords({ identity, ...server }: VirtualServer): string {
  if ((server.flags & virtualServerFlags.persistent) === 0) return '';
  const isIPv6 = identity.kind === 'fwmark' ? identity.family === 'IPv6' : identity.address.includes(':');
  const isWhole = server.prefixLength === (isIPv6 ? 128 : 32);
  const prefix = isWhole ? '' : ` -M ${isIPv6 ? server.prefixLength : dottedMask(server.prefixLength)}`;
  return ` -p ${server.timeoutSeconds}${prefix}`;
}

function dottedMask(prefixLength: number): string {
  const octets = [0, 8, 16, 24].map((start) => 0x100 - 2 ** (8 - Math.min(8, Math.max(0, prefixLength - start))));
  return octets.join('.');
}

function flagWords({ scheduler, flags }: VirtualServer): string {
  const hash = scheduler === 'sh' || scheduler === 'mh';
  const names = [
    [virtualServerFlags.schedulerFlag1, hash ? `${scheduler}-fallback` : 'flag-1'],
    [virtualServerFlags.schedulerFlag2, hash ? `${scheduler}-port` : 'flag-2'],
    [virtualServerFlags.schedulerFlag3, 'flag-3'],
  ] as const;
  const set = names.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name);
  const onePacket = (flags & virtualServerFlags.onePacket) === 0 ? '' : ' -o';
  return `${onePacket}${set.length === 0 ? '' : ` -b ${set.join(',')}`}`;
}

function destinationWords(to: Destination): string {
  return `-r ${formatEndpoint(to.address, to.port)} ${methodWords[to.forwarding]} -w ${to.weight}${tunnelWords(to.forwarding)}`;
}

function tunnelWords(forwarding: ForwardingMethod): string {
  if (forwarding === 'gue') return ' --tun-type gue --tun-port 6080 --tun-nocsum';
  return forwarding === 'tunnel' ? ' --tun-type ipip' : '';
}

const methodWords: Readonly<Record<ForwardingMethod, string>> = {
  masquerade: '-m',
  localnode: '-g',
  tunnel: '-i',
  gue: '-i',
  route: '-g',
  // It has no word for this one.
  bypass: '(null)',
};
