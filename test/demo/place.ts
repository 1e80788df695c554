import type { Target } from '../lab/traffic/result.ts';
import type { Family } from '../lab/world/places.ts';

export const families: readonly Family[] = ['IPv4', 'IPv6'];

export function familyOf(address: string): Family {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

/** `TCP 10.96.0.80:80`, `UDP [fd00:96::53]:53`. */
export function formatTarget({ protocol, address, port }: Target): string {
  return `${protocol} ${familyOf(address) === 'IPv6' ? `[${address}]` : address}:${port}`;
}
