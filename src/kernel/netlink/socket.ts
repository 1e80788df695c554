import { type NetlinkHandle, type NetlinkOptions, openNetlink } from '../../../native/index.ts';
import { toKernelError } from '../error.ts';
import { createReceiveBuffer, type ReceivedBytes } from './received.ts';

/** How a socket is opened. */
export interface NetlinkSocketOptions {
  /** NETLINK_ROUTE, NETLINK_NETFILTER or NETLINK_GENERIC. */
  readonly protocol: number;
  /** Path of a network namespace to open it in; for tests. */
  readonly networkNamespace?: string;
  /**
   * Size of the buffer that datagrams are received into, in bytes; 64 KiB unless given. The kernel sizes the datagrams
   * of a dump by the largest buffer ever given on the socket and zeroes them, so a socket for many small dumps does
   * best with 4 KiB (8 KiB where pages are larger).
   */
  readonly receiveBytes?: number;
  /** Kernel receive buffer (SO_RCVBUFFORCE), in bytes; 4 MiB unless given. */
  readonly receiveQueueBytes?: number;
  /** Kernel send buffer (SO_SNDBUFFORCE), in bytes; 4 MiB unless given. Bounds a transaction sent in one piece. */
  readonly sendQueueBytes?: number;
  /** Multicast groups to join. Use such a socket for events only. */
  readonly groups?: readonly number[];
  /** How long to wait for an answer, in milliseconds; 5,000 unless given. */
  readonly timeoutMs?: number;
}

/** An open netlink socket with its receive buffer. The functions `transact`, `dump` and `request` work on it. */
export interface NetlinkSocket {
  readonly handle: NetlinkHandle;
  readonly received: ReceivedBytes;
  readonly timeoutMs: number;
  /** The sequence number of the next message. */
  nextSequence: number;
}

/** Opens a socket. Throws `KernelError`. */
export function openNetlinkSocket(options: NetlinkSocketOptions): NetlinkSocket {
  try {
    return createNetlinkSocket(openNetlink(options.protocol, nativeOptions(options)), options);
  } catch (thrown) {
    throw toKernelError('open netlink socket', thrown);
  }
}

/** Makes a socket around an open handle: the place where tests put a scripted one. */
export function createNetlinkSocket(
  handle: NetlinkHandle,
  options: Pick<NetlinkSocketOptions, 'receiveBytes' | 'timeoutMs'> = {},
): NetlinkSocket {
  return {
    handle,
    received: createReceiveBuffer(options.receiveBytes ?? 65536),
    timeoutMs: options.timeoutMs ?? 5000,
    nextSequence: 1,
  };
}

/** Closes the socket; twice is harmless. */
export function closeNetlinkSocket(socket: NetlinkSocket): void {
  socket.handle.close();
}

/** Takes `count` consecutive sequence numbers, none of them 0 (which events carry), and returns the first. */
export function takeSequences(socket: NetlinkSocket, count: number): number {
  if (socket.nextSequence + count > 0xffff_ffff) socket.nextSequence = 1;
  const first = socket.nextSequence;
  socket.nextSequence += count;
  return first;
}

function nativeOptions(options: NetlinkSocketOptions): NetlinkOptions {
  return {
    ...(options.networkNamespace === undefined ? {} : { networkNamespace: options.networkNamespace }),
    receiveBufferBytes: options.receiveQueueBytes ?? 4 << 20,
    sendBufferBytes: options.sendQueueBytes ?? 4 << 20,
    groups: options.groups ?? [],
  };
}
