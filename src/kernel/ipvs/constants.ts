/** Numbers of include/uapi/linux/ip_vs.h, and their words in the model. */

import type { Family, Protocol } from '../../core/model/facts.ts';
import type { ForwardingMethod } from '../../core/model/virtual-server.ts';

export const familyName = 'IPVS';
export const familyVersion = 1;

/** IPVS_CMD_* */
export const command = {
  newService: 1,
  setService: 2,
  deleteService: 3,
  getService: 4,
  newDestination: 5,
  setDestination: 6,
  deleteDestination: 7,
  getDestination: 8,
  setConfig: 12,
  getConfig: 13,
} as const;

/** IPVS_CMD_ATTR_* */
export const topAttribute = { service: 1, destination: 2, timeoutTcp: 4, timeoutTcpFin: 5, timeoutUdp: 6 } as const;

/** IPVS_SVC_ATTR_* */
export const serviceAttribute = {
  addressFamily: 1,
  protocol: 2,
  address: 3,
  port: 4,
  firewallMark: 5,
  schedulerName: 6,
  flags: 7,
  timeout: 8,
  netmask: 9,
} as const;

/** IPVS_DEST_ATTR_* */
export const destinationAttribute = {
  address: 1,
  port: 2,
  forwardingMethod: 3,
  weight: 4,
  upperThreshold: 5,
  lowerThreshold: 6,
  activeConnections: 7,
  inactiveConnections: 8,
  addressFamily: 11,
  tunnelType: 13,
  tunnelPort: 14,
  tunnelFlags: 15,
} as const;

/** IP_VS_SVC_F_HASHED: set by the kernel on every virtual server, of no meaning to anyone else. */
export const hashedFlag = 0x2;

export const addressFamilyNumber: Readonly<Record<Family, number>> = { IPv4: 2, IPv6: 10 };

/** The family of an AF_* number, undefined for others. */
export function familyOfNumber(value: number): Family | undefined {
  if (value === addressFamilyNumber.IPv4) return 'IPv4';
  return value === addressFamilyNumber.IPv6 ? 'IPv6' : undefined;
}

export const protocolNumber: Readonly<Record<Protocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 };

/** The protocol of an IPPROTO_* number; undefined for others, which the kernel stores unchecked. */
export function protocolOfNumber(value: number): Protocol | undefined {
  switch (value) {
    case protocolNumber.TCP:
      return 'TCP';
    case protocolNumber.UDP:
      return 'UDP';
    case protocolNumber.SCTP:
      return 'SCTP';
    default:
      return undefined;
  }
}

/** IP_VS_CONN_F_MASQ and the following; how a tunnel wraps is said apart. */
export const forwardingNumber: Readonly<Record<ForwardingMethod, number>> = {
  masquerade: 0,
  localnode: 1,
  tunnel: 2,
  gue: 2,
  route: 3,
  bypass: 4,
};

/** The same without tunnels, whose number does not tell one from the other. */
export const plainForwardingNumber: Readonly<Record<ForwardingMethod, number | undefined>> = {
  ...forwardingNumber,
  tunnel: undefined,
  gue: undefined,
};

const forwardingMethods: readonly ForwardingMethod[] = ['masquerade', 'localnode', 'tunnel', 'route', 'bypass'];

/**
 * The forwarding method in connection flags (IP_VS_CONN_F_FWD_MASK). The kernel accepts 5 to 7 and forwards nothing
 * then: they read as `bypass`, which sluice never writes, so that whoever owns the destination corrects it.
 */
export function forwardingOfFlags(connectionFlags: number): ForwardingMethod {
  return forwardingMethods[connectionFlags & 7] ?? 'bypass';
}

/** IP_VS_CONN_F_TUNNEL_TYPE_GUE (include/uapi/linux/ip_vs.h); 0 is IP in IP. */
export const tunnelTypeGue = 1;

/** What the kernel calls a virtual server without a scheduler; it refuses new connections. No module is asked for. */
export const noScheduler = 'none';
