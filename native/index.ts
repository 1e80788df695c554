import { loadAddon } from './load.ts';
import type { IpvsSockoptHandle, NetlinkHandle, NetlinkOptions } from './types.ts';

export type { IpvsSockoptHandle, NetlinkHandle, NetlinkOptions } from './types.ts';

/**
 * Opens a netlink socket of `protocol` (NETLINK_ROUTE is 0, NETLINK_NETFILTER 12, NETLINK_GENERIC 16), bound, close
 * on exec, with NETLINK_CAP_ACK and NETLINK_EXT_ACK set. Throws a `SystemError`, or a TypeError for a wrong argument.
 */
export function openNetlink(protocol: number, options: NetlinkOptions = {}): NetlinkHandle {
  const { NetlinkSocket } = loadAddon();
  return new NetlinkSocket(
    protocol,
    options.networkNamespace,
    options.receiveBufferBytes ?? 0,
    options.sendBufferBytes ?? 0,
    options.groups ?? [],
  );
}

/** Opens an IPv4 socket for the old IPVS getsockopts. Throws a `SystemError`. */
export function openIpvsSockopt(options: { readonly networkNamespace?: string } = {}): IpvsSockoptHandle {
  const { IpvsSockopt } = loadAddon();
  return new IpvsSockopt(options.networkNamespace);
}

/**
 * Runs a synchronous callback with this thread inside another network namespace, and always comes back. What the
 * callback opens (sockets, child processes) belongs to that namespace. Throws what the callback throws, a
 * `SystemError` when the namespace cannot be entered, and a TypeError with code `ERR_ASYNC_CALLBACK` when the
 * callback returns a promise: what it awaits would run outside. If the way back fails the process is aborted.
 */
export function withNetworkNamespace<Result>(path: string, callback: () => Result): Result {
  const result = loadAddon().withNetworkNamespace(path, callback);
  if (isThenable(result)) {
    const error = new TypeError('withNetworkNamespace: expected a synchronous callback, it returned a promise');
    throw Object.assign(error, { code: 'ERR_ASYNC_CALLBACK' });
  }
  return result;
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
