import { createBatch } from '../netlink/batch.ts';
import { NETLINK_GENERIC } from '../netlink/constants.ts';
import { resolveGenericFamily } from '../netlink/generic.ts';
import { closeNetlinkSocket, type NetlinkSocket, openNetlinkSocket } from '../netlink/socket.ts';
import type { IpvsPort } from '../ports.ts';
import { applyIpvsOperations, type Writer } from './apply.ts';
import { familyName } from './constants.ts';
import { createEncoder } from './encode.ts';
import { createExpectedDestinations } from './expected-destinations.ts';
import { readPageSize } from './page-size.ts';
import { dumpIpvs, type Reader, readIpvs, readIpvsDestinations, readMarks } from './read.ts';
import { openSockopt } from './sockopt.ts';
import { type IpvsTimeouts, readTimeouts, writeTimeouts } from './timeouts.ts';

export interface IpvsOptions {
  /** Path of the network namespace whose table is meant; the process's own unless given. */
  readonly networkNamespace?: string;
}

/** The table of one network namespace, and the timeouts of its connections. */
export interface IpvsTable extends IpvsPort {
  readTimeouts(): IpvsTimeouts;
  /** 0 leaves a timeout as it is. Throws `KernelError`. */
  setTimeouts(timeouts: IpvsTimeouts): void;
}

/**
 * Opens the IPVS table; the kernel loads the module where it can. Throws `KernelError`: ENOENT without IPVS, EPERM
 * without CAP_NET_ADMIN in the initial user namespace.
 */
export function openIpvs(options: IpvsOptions = {}): IpvsTable {
  const opened: { close(): void }[] = [];
  const close = (): void => opened.forEach((each) => each.close());
  try {
    const { writer, reader } = openChannels(options, opened);
    const config = { socket: writer.socket, familyId: writer.encoder.familyId, batch: reader.netlink.batch };
    return {
      dump: () => dumpIpvs(reader),
      read: (expected) => readIpvs(reader, expected),
      dumpMarks: () => readMarks(reader),
      dumpDestinations: (identity) => readIpvsDestinations(reader, identity),
      apply: (operations) => applyIpvsOperations(writer, operations),
      readTimeouts: () => readTimeouts(config),
      setTimeouts: (timeouts) => writeTimeouts(config, timeouts),
      close,
    };
  } catch (thrown) {
    close();
    throw thrown;
  }
}

function openChannels(options: IpvsOptions, opened: { close(): void }[]): { writer: Writer; reader: Reader } {
  const services = openSocket(options, opened);
  const destinations = openSocket(options, opened, destinationsBuffer(readPageSize()));
  const socket = openSocket(options, opened);
  const familyId = resolveGenericFamily(socket, familyName);
  const sockopt = openSockopt(options);
  opened.push(sockopt.handle);
  return {
    writer: { socket, batch: createBatch(), encoder: createEncoder(familyId) },
    reader: {
      netlink: { familyId, batch: createBatch(256), services, destinations },
      sockopt,
      expected: createExpectedDestinations(),
    },
  };
}

/** The kernel makes the datagrams of a dump no longer than a page, at most 8 KiB (NLMSG_GOODSIZE). */
function destinationsBuffer(pageSize: number): number {
  return Math.min(pageSize, 8192);
}

function openSocket(options: IpvsOptions, opened: { close(): void }[], receiveBytes = 65536): NetlinkSocket {
  const socket = openNetlinkSocket({ ...options, protocol: NETLINK_GENERIC, receiveBytes });
  opened.push({ close: () => closeNetlinkSocket(socket) });
  return socket;
}
