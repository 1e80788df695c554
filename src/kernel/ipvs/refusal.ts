/** What is refused before the kernel sees it, with the errno that it would, or should, have given. */

import { familyOf } from '../../core/address.ts';
import type { Family } from '../../core/model/facts.ts';
import {
  type Destination,
  type ForwardingMethod,
  schedulers,
  type VirtualServer,
  type VirtualServerIdentity,
} from '../../core/model/virtual-server.ts';
import { errno } from '../errno.ts';
import { forwardingNumber, noScheduler } from './constants.ts';

/** The schedulers that may be named to the kernel: for any other name it would run the module loader. */
const nameable: ReadonlySet<string> = new Set([...schedulers, noScheduler]);

/** The family of a virtual server. */
export function identityFamily(identity: VirtualServerIdentity): Family {
  return identity.kind === 'fwmark' ? identity.family : familyOf(identity.address);
}

/** EINVAL for a port or mark that the wire format would cut to another value; 0 when there is none. */
export function refuseIdentity(identity: VirtualServerIdentity): number {
  if (identity.kind === 'fwmark') return isInteger(identity.mark, 1, 0xffff_ffff) ? 0 : errno.EINVAL;
  return isPort(identity.port) ? 0 : errno.EINVAL;
}

/** ENOENT for a scheduler outside the list, EINVAL for an impossible prefix length or timeout; else 0. */
export function refuseVirtualServer(server: VirtualServer): number {
  if (!nameable.has(server.scheduler)) return errno.ENOENT;
  const longest = identityFamily(server.identity) === 'IPv4' ? 32 : 128;
  if (!isInteger(server.prefixLength, longest === 32 ? 0 : 1, longest)) return errno.EINVAL;
  return isInteger(server.timeoutSeconds, 0, 0xffff_ffff) ? 0 : errno.EINVAL;
}

/**
 * EINVAL for a port that the wire format would cut, for a method that is none (the kernel would take 5 to 7 and forward
 * nothing); ERANGE for a weight that is no 32-bit integer. A negative weight is the kernel's to refuse.
 */
export function refuseDestination(destination: Destination): number {
  if (!isPort(destination.port)) return errno.EINVAL;
  if (!isForwardingMethod(destination.forwarding)) return errno.EINVAL;
  return (destination.weight | 0) === destination.weight ? 0 : errno.ERANGE;
}

function isForwardingMethod(value: string): value is ForwardingMethod {
  return Object.hasOwn(forwardingNumber, value);
}

function isPort(port: number): boolean {
  return isInteger(port, 0, 0xffff);
}

function isInteger(value: number, least: number, greatest: number): boolean {
  return Number.isInteger(value) && value >= least && value <= greatest;
}
