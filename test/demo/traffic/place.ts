import { isIPv6 } from 'node:net';

export type Family = 'IPv4' | 'IPv6';

export const families: readonly Family[] = ['IPv4', 'IPv6'];

export type Protocol = 'TCP' | 'UDP';

/** Where a request goes. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

export function familyOf(address: string): Family {
  return isIPv6(address) ? 'IPv6' : 'IPv4';
}

/** `10.96.0.80:80`, `[fd00:96::80]:80`. */
export function formatPlace({ address, port }: Place): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
