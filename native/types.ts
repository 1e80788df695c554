/** What `openNetlink` may be told beyond the protocol. */
export interface NetlinkOptions {
  /** Path of a network namespace (`/run/netns/NAME`, `/proc/PID/ns/net`) to open the socket in. Needs CAP_SYS_ADMIN. */
  readonly networkNamespace?: string;
  /** Wanted receive buffer in bytes (`SO_RCVBUFFORCE`, else `SO_RCVBUF`, which the kernel caps silently). */
  readonly receiveBufferBytes?: number;
  /** Wanted send buffer in bytes (`SO_SNDBUFFORCE`, else `SO_SNDBUF`). One send may not exceed it (EMSGSIZE). */
  readonly sendBufferBytes?: number;
  /** Multicast group numbers to join (`NETLINK_ADD_MEMBERSHIP`): the RTNLGRP_* values, not bit masks. */
  readonly groups?: readonly number[];
}

/**
 * An open netlink socket. System errors are thrown as `SystemError`; every method but `close` and `closed`
 * throws an Error with code `ERR_SOCKET_CLOSED` once the handle is closed. A handle that is garbage collected, or
 * whose environment ends, closes its file descriptor.
 */
export interface NetlinkHandle {
  /** Sends the first `length` bytes (default: all) to the kernel as one datagram. The kernel handles it before this returns. */
  send(bytes: Uint8Array, length?: number): void;
  /**
   * Receives one datagram from the kernel (those of other senders are dropped) and returns its size in bytes.
   * Waits up to `timeoutMs`, then throws ETIMEDOUT; with 0 it never waits and returns 0 when nothing is queued.
   * A datagram larger than `into` throws EMSGSIZE and is lost; ENOBUFS means that the kernel dropped answers or events.
   */
  receive(into: Uint8Array, timeoutMs: number): number;
  /** `send(batch, length)` and `receive(replies, timeoutMs)` in one call. */
  exchange(batch: Uint8Array, length: number, replies: Uint8Array, timeoutMs: number): number;
  /**
   * Calls back from the event loop while datagrams (or an error such as ENOBUFS) wait to be received; the callback
   * must receive until 0. `undefined` stops. A watched handle is not garbage collected. It does not keep the
   * process alive unless `ref` is called.
   */
  onReadable(callback: (() => void) | undefined): void;
  /** Lets the watched socket keep the event loop, and so the process, alive. */
  ref(): void;
  /** Undoes `ref`. This is the initial state. */
  unref(): void;
  /** Closes the socket. Calling it again does nothing. */
  close(): void;
  readonly closed: boolean;
}

/** An IPv4 socket for the old IPVS getsockopts. Errors as for `NetlinkHandle`. */
export interface IpvsSockoptHandle {
  /**
   * `getsockopt(SOL_IP, option)` with `buffer` as both argument and result, its whole length given.
   * Returns the length that the kernel reports back.
   */
  get(option: number, buffer: Uint8Array): number;
  /**
   * `get` for one part of `buffer` after another: the first `count` of `lengths` say how long they are. Ends with the
   * first that fails and returns how many succeeded; `get` alone tells why the next one does not.
   */
  getEach(option: number, buffer: Uint8Array, lengths: Uint32Array, count: number): number;
  close(): void;
  readonly closed: boolean;
}

/** The shape of errors that come from a system call: what the addon throws, for those who catch it. @public */
export interface SystemError extends Error {
  /** The positive errno value. */
  readonly errno: number;
  /** Its name, for example `EPERM`. */
  readonly code: string;
  /** The call that failed, for example `sendmsg`. */
  readonly syscall: string;
}
