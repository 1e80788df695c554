/**
 * The old getsockopts: every IPv4 virtual server, those of firewall marks included, in one call, and the destinations
 * of one in another: five times faster than the netlink dumps, which take two buffers and three calls for each. They
 * know no IPv6 and leave out destinations of the other family.
 */

import { type IpvsSockoptHandle, openIpvsSockopt } from '../../../native/index.ts';
import type { VirtualServerIdentity } from '../../core/model/virtual-server.ts';
import { finish, type Steps } from '../../core/steps.ts';
import { errno, isKernelError, KernelError, toKernelError } from '../error.ts';
import { createReceiveBuffer, type ReceivedBytes } from '../netlink/received.ts';
import type { MakeDestination } from './shown-destination.ts';
import {
  countServices,
  destinationsLength,
  infoLength,
  layDestinationsRequest,
  layServiceRequest,
  layServicesRequest,
  readDestinationCount,
  readDestinations,
  readServiceCount,
  readServices,
  type ServiceEntry,
  serviceEntryLength,
  servicesLength,
  type WantedServices,
} from './sockopt-layout.ts';

/** The options (IP_VS_BASE_CTL is 64 + 1024 + 64). */
const option = { info: 1153, services: 1154, service: 1155, destinations: 1156 } as const;

/** Room beyond what is expected, so that a full answer is told from one that was cut. */
const spare = 1;

/** An open socket with the buffer of its calls. */
export interface IpvsSockopt {
  readonly handle: IpvsSockoptHandle;
  buffer: ReceivedBytes;
  /** Virtual servers as they were listed last. */
  list: ReceivedBytes;
  /** The part of the buffer that the last call was given. */
  argument: Buffer;
}

/** Opens the socket. Throws `KernelError`. */
export function openSockopt(options: { readonly networkNamespace?: string }): IpvsSockopt {
  try {
    return createSockopt(openIpvsSockopt(options));
  } catch (thrown) {
    throw toKernelError('open IPVS socket', thrown);
  }
}

/** Makes one around an open handle: the place where tests put a scripted one. */
export function createSockopt(handle: IpvsSockoptHandle): IpvsSockopt {
  const buffer = createReceiveBuffer(65536);
  return { handle, buffer, list: createReceiveBuffer(0), argument: buffer.bytes };
}

/** Reads every IPv4 virtual server at one moment. Throws `KernelError`. */
export function readServicesIPv4(sockopt: IpvsSockopt, wanted: WantedServices): readonly ServiceEntry[] {
  const count = finish(listServicesSteps(sockopt));
  return readServices(sockopt.list, count, wanted);
}

/** Reads the same into `list`, and returns how many there are; in steps, one of which reads. Throws `KernelError`. */
export function* listServicesSteps(sockopt: IpvsSockopt): Steps<number> {
  const operation = 'read IPv4 virtual servers';
  call(sockopt, operation, option.info, infoLength);
  let room = readServiceCount(sockopt.buffer) + spare;
  for (;;) {
    const length = servicesLength(room);
    if (sockopt.list.bytes.length < length) sockopt.list = createReceiveBuffer(length * 2);
    yield* layServicesRequest(sockopt.list, room);
    get(sockopt, operation, { name: option.services, argument: sockopt.list.bytes.subarray(0, length) });
    const count = countServices(sockopt.list, room);
    if (count !== undefined) return count;
    // Some were added since they were counted.
    room *= 2;
  }
}

/** The number of destinations of an IPv4 virtual server, undefined when it does not exist. Throws `KernelError`. */
export function countDestinationsIPv4(sockopt: IpvsSockopt, identity: VirtualServerIdentity): number | undefined {
  const operation = 'read an IPv4 virtual server';
  if (!layServiceRequest(sockopt.buffer, identity)) throw new KernelError(operation, errno.EINVAL);
  if (!callUnlessAbsent(sockopt, operation, option.service, serviceEntryLength)) return undefined;
  return readDestinationCount(sockopt.buffer);
}

/**
 * Reads the IPv4 destinations of an IPv4 virtual server at one moment; undefined when it does not exist. `count` is
 * how many there may be. Throws `KernelError`.
 */
export function readDestinationsIPv4<Item>(
  sockopt: IpvsSockopt,
  identity: VirtualServerIdentity,
  expected: { readonly count: number; readonly make: MakeDestination<Item> },
): readonly Item[] | undefined {
  const operation = 'read IPv4 destinations';
  let room = expected.count + spare;
  for (;;) {
    const length = destinationsLength(room);
    makeRoom(sockopt, length);
    if (!layDestinationsRequest(sockopt.buffer, identity, room)) throw new KernelError(operation, errno.EINVAL);
    if (!callUnlessAbsent(sockopt, operation, option.destinations, length)) return undefined;
    const destinations = readDestinations(sockopt.buffer, room, expected.make);
    if (destinations !== undefined) return destinations;
    room *= 2;
  }
}

/**
 * Makes the requests that lie one after another at the start of the buffer, each for the destinations of one virtual
 * server. Returns the positions of those whose virtual server does not exist any more. Throws `KernelError`.
 */
export function readDestinationsOfEach(sockopt: IpvsSockopt, lengths: Uint32Array, count: number): readonly number[] {
  const { handle, buffer } = sockopt;
  const gone: number[] = [];
  let [from, start] = [0, 0];
  for (;;) {
    const done = handle.getEach(
      option.destinations,
      buffer.bytes.subarray(start),
      lengths.subarray(from),
      count - from,
    );
    if (from + done === count) return gone;
    start += lengths.subarray(from, from + done).reduce((sum, length) => sum + length, 0);
    from += done;
    // What it stopped at is asked for alone, to know why.
    const length = lengths[from] ?? 0;
    const argument = buffer.bytes.subarray(start, start + length);
    const request = { name: option.destinations, argument };
    if (!getUnlessAbsent(sockopt, 'read IPv4 destinations', request)) gone.push(from);
    start += length;
    from += 1;
  }
}

function callUnlessAbsent(sockopt: IpvsSockopt, operation: string, name: number, length: number): boolean {
  return getUnlessAbsent(sockopt, operation, { name, argument: argumentOf(sockopt, length) });
}

function getUnlessAbsent(sockopt: IpvsSockopt, operation: string, request: GetRequest): boolean {
  try {
    get(sockopt, operation, request);
    return true;
  } catch (thrown) {
    if (isAbsent(thrown)) return false;
    throw thrown;
  }
}

function isAbsent(thrown: unknown): boolean {
  return isKernelError(thrown) && thrown.code === 'ESRCH';
}

function call(sockopt: IpvsSockopt, operation: string, name: number, length: number): void {
  get(sockopt, operation, { name, argument: argumentOf(sockopt, length) });
}

interface GetRequest {
  readonly name: number;
  readonly argument: Buffer;
}

function get(sockopt: IpvsSockopt, operation: string, { name, argument }: GetRequest): void {
  try {
    sockopt.handle.get(name, argument);
  } catch (thrown) {
    throw toKernelError(operation, thrown);
  }
}

/** Most virtual servers have as many destinations as the one before: its view of the buffer serves again. */
function argumentOf(sockopt: IpvsSockopt, length: number): Buffer {
  if (sockopt.argument.length !== length) sockopt.argument = sockopt.buffer.bytes.subarray(0, length);
  return sockopt.argument;
}

function makeRoom(sockopt: IpvsSockopt, length: number): void {
  if (sockopt.buffer.bytes.length >= length) return;
  sockopt.buffer = createReceiveBuffer(length * 2);
  sockopt.argument = sockopt.buffer.bytes;
}
